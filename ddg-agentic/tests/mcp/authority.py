"""An MCP server over HTTP with an authorisation server, both on the reference implementation. Everybody
agrees. Its tool `forget` ends all access tokens. It prints its port.
"""

import secrets
import socket

import uvicorn
from mcp.server import MCPServer
from mcp.server.auth.provider import AccessToken, AuthorizationCode, RefreshToken, construct_redirect_uri
from mcp.server.auth.settings import AuthSettings, ClientRegistrationOptions
from mcp.shared.auth import OAuthToken

SCOPES = ["tools"]


class Provider:
    """Keeps clients, codes and tokens in memory."""

    def __init__(self):
        self.clients, self.codes, self.access, self.refresh = {}, {}, {}, {}

    async def get_client(self, client_id):
        return self.clients.get(client_id)

    async def register_client(self, client):
        self.clients[client.client_id] = client

    async def authorize(self, client, params):
        code = AuthorizationCode(
            code=secrets.token_urlsafe(32),
            client_id=client.client_id,
            scopes=params.scopes or SCOPES,
            expires_at=2**40,
            code_challenge=params.code_challenge,
            redirect_uri=params.redirect_uri,
            redirect_uri_provided_explicitly=params.redirect_uri_provided_explicitly,
            resource=params.resource,
        )
        self.codes[code.code] = code
        return construct_redirect_uri(str(params.redirect_uri), code=code.code, state=params.state)

    async def load_authorization_code(self, client, code):
        return self.codes.get(code)

    async def exchange_authorization_code(self, client, code):
        del self.codes[code.code]
        return self.issue(client, code.scopes, code.resource)

    async def load_refresh_token(self, client, token):
        return self.refresh.get(token)

    async def exchange_refresh_token(self, client, token, scopes):
        del self.refresh[token.token]
        return self.issue(client, scopes or token.scopes, token.resource)

    async def load_access_token(self, token):
        return self.access.get(token)

    async def revoke_token(self, token):
        self.access.pop(token.token, None)

    def issue(self, client, scopes, resource):
        of = {"client_id": client.client_id, "scopes": scopes, "resource": resource}
        access = AccessToken(token=secrets.token_urlsafe(32), **of)
        refresh = RefreshToken(token=secrets.token_urlsafe(32), **of)
        self.access[access.token], self.refresh[refresh.token] = access, refresh
        return OAuthToken(
            access_token=access.token,
            refresh_token=refresh.token,
            expires_in=3600,
            scope=" ".join(scopes),
            token_type="Bearer",
        )


listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen()
port = listener.getsockname()[1]
origin = f"http://127.0.0.1:{port}"
provider = Provider()
settings = AuthSettings(
    issuer_url=origin,
    resource_server_url=f"{origin}/mcp",
    validate_token_resource=True,
    required_scopes=SCOPES,
    client_registration_options=ClientRegistrationOptions(enabled=True, valid_scopes=SCOPES, default_scopes=SCOPES),
)
server = MCPServer("guarded", auth_server_provider=provider, auth=settings)


@server.tool()
def forget() -> str:
    """Ends all access tokens."""
    provider.access.clear()
    return "forgotten"


@server.tool()
def count() -> int:
    """Says how many clients are registered."""
    return len(provider.clients)


print(port, flush=True)
app = server.streamable_http_app()
uvicorn.Server(uvicorn.Config(app, log_level="error")).run(sockets=[listener])
