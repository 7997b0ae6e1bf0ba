//! Storage of a value: small numbers in place, everything else behind a shared pointer.

use std::any::TypeId;
use std::sync::Arc;

use super::Data;
use super::cell::Erased;
use super::value::same;

macro_rules! in_place {
    ($($Kind:ident($ty:ty)),*) => {
        /// The storage of a value.
        #[derive(Clone, Default)]
        pub(super) enum Repr {
            #[default]
            Null,
            Shared(Arc<dyn Erased>),
            $($Kind($ty),)*
        }

        impl Repr {
            /// Stores `inner` in place if it is a small number, else behind a pointer.
            pub(super) fn new<T: Data>(inner: T) -> Self {
                $(
                    // The comparison is constant for each `T`, so the compiler keeps one branch of
                    // the chain. A number in place needs no allocation and no reference count.
                    if TypeId::of::<T>() == TypeId::of::<$ty>()
                        && let Ok(inner) = same::<T, $ty>(inner.clone())
                    {
                        return Self::$Kind(inner);
                    }
                )*
                Self::Shared(Arc::new(inner))
            }

            pub(super) fn get(&self) -> Option<&dyn Erased> {
                match self {
                    Self::Null => None,
                    Self::Shared(inner) => Some(&**inner),
                    $(Self::$Kind(inner) => Some(inner),)*
                }
            }

            /// Whether both are the same value, not just equal ones.
            pub(super) fn is_same(&self, other: &Self) -> bool {
                match (self, other) {
                    (Self::Null, Self::Null) => true,
                    (Self::Shared(one), Self::Shared(other)) => Arc::ptr_eq(one, other),
                    // 0.0 and -0.0 are equal, but serialise differently.
                    (Self::F64(one), Self::F64(other))
                        if one.is_sign_negative() != other.is_sign_negative() =>
                    {
                        false
                    }
                    $((Self::$Kind(one), Self::$Kind(other)) => one == other,)*
                    _ => false,
                }
            }

            pub(super) fn into_shared(self) -> Option<Arc<dyn Erased>> {
                match self {
                    Self::Null => None,
                    Self::Shared(inner) => Some(inner),
                    $(Self::$Kind(inner) => Some(Arc::new(inner)),)*
                }
            }
        }
    };
}

in_place!(Bool(bool), I32(i32), U32(u32), I64(i64), U64(u64), Usize(usize), F64(f64));
