// The page of riddles in a browser without a window: riddles are posed with the keyboard alone, their messages
// appear and they are solved without reloading; light and dark, and as wide as a phone.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { chromium } from "playwright-core";

const { RIDDLES_URL: url, RIDDLES_SECRET: secret, CHROMIUM: executablePath, SCREENSHOTS: shots } = process.env;
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
const page = await (await browser.newContext({ viewport: { width: 1200, height: 900 } })).newPage();
page.setDefaultTimeout(20_000);
const faults = [];
page.on("console", message => message.type() === "error" && !message.text().includes("401") && faults.push(message.text()));
page.on("pageerror", error => faults.push(String(error)));
page.on("request", request => new URL(request.url()).origin === new URL(url).origin || request.url().startsWith("data:") || faults.push(request.url()));

const shot = async name => {
  if (!shots) return;
  mkdirSync(shots, { recursive: true });
  await page.screenshot({ path: `${shots}/${name}.png`, fullPage: true });
};
const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.textContent.trim());
// Presses Tab until this is focused: by keyboard, everything can be reached.
const tabTo = async wanted => {
  for (let n = 0; n < 60; n += 1) {
    await page.keyboard.press("Tab");
    if ((await focused()) === wanted) return;
  }
  assert.fail(`Tab does not reach ${wanted}`);
};
const row = id => page.locator("#riddles tr").filter({ has: page.getByRole("button", { name: id, exact: true }) });
const solved = async (id, answer) => {
  await row(id).locator("td.solved").waitFor();
  assert.equal(await row(id).locator("td").last().textContent(), answer);
};
const fits = async what => {
  const [wide, inner] = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
  assert.ok(wide <= inner, `${what} is ${wide} wide on a screen of ${inner}`);
};
// The contrast of every text with what is behind it, as WCAG counts it.
const leastContrast = () => page.evaluate(() => {
  const rgb = text => text.match(/[\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(c => c / 255).map(c => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, n) => sum + c * [0.2126, 0.7152, 0.0722][n], 0);
  const behind = element => {
    for (let at = element; at; at = at.parentElement) {
      const back = rgb(getComputedStyle(at).backgroundColor);
      if (back.length < 4 || back[3] > 0) return back;
    }
    return [255, 255, 255];
  };
  let least = [99, ""];
  for (const element of document.querySelectorAll("body *")) {
    if (!element.checkVisibility() || !Array.from(element.childNodes).some(node => node.nodeType === 3 && node.data.trim())) continue;
    const [a, b] = [light(rgb(getComputedStyle(element).color)), light(behind(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < least[0]) least = [ratio, element.outerHTML.slice(0, 120)];
  }
  return least;
});
const legible = async what => {
  const [ratio, where] = await leastContrast();
  assert.ok(ratio >= 4.5, `${what}: a contrast of ${ratio} in ${where}`);
};

// The secret is asked for, and a wrong one is said to be wrong.
await page.goto(url);
await page.locator("#secret").waitFor();
await tabTo("secret");
await page.keyboard.type("wrong");
await page.keyboard.press("Enter");
await page.getByText("the secret is missing or wrong").waitFor();
await shot("login");
await page.locator("#secret").fill("");
await page.locator("#secret").focus();
await page.keyboard.type(secret);
await page.keyboard.press("Enter");
await page.getByText("No riddle was posed yet.").waitFor();
assert.ok(await page.locator("#login").isHidden(), "the secret is no longer asked for");
await shot("empty");
await page.evaluate(() => { window.stays = "here"; });

// A riddle is posed with the keyboard alone.
await tabTo("Pose a riddle");
await page.keyboard.press("Enter");
await tabTo("question");
await page.keyboard.type("x * y =");
await tabTo("files");
await page.keyboard.type("text x.txt\ntext y.txt\ntext z.txt");
await tabTo("Pose it");
await page.keyboard.press("Enter");
await page.locator("#posed").getByText("posed as ").waitFor();
const first = (await page.locator("#posed").textContent()).replace("posed as ", "");
await solved(first, "150");
await page.locator("#messages td[data-name=stage]").getByText("ended").waitFor();
const stages = await page.locator("#messages td[data-name=stage]").allTextContents();
assert.deepEqual(stages.slice(0, 4), ["posed", "extract", "extract", "extract"]);
assert.ok(stages.includes("solve") && stages.includes("gatekeeper"), stages.join());
await page.locator("#messages").getByText("✓ text x.txt, ✓ text y.txt, ✓ text z.txt").first().waitFor();
await shot("light");
await legible("light");

// One with documents that are uploaded, whose names and texts look like markup.
await page.locator("#question").fill("<img src=x onerror=document.title='bad'> a + b");
await page.locator("#uploads").setInputFiles([
  { name: "<b>a.txt", mimeType: "text/plain", buffer: Buffer.from("a = 1") },
]);
await page.getByRole("button", { name: "Pose it" }).click();
await page.locator("#riddles").getByText("<img src=x onerror").waitFor();
await page.locator("#riddles td.unsolved").waitFor();
assert.equal(await page.locator("#riddles img, #messages img, #messages b").count(), 0);
assert.equal(await page.title(), "Riddles");
assert.equal(await page.locator("#uploads").evaluate(input => input.files.length), 0, "the form is empty again");

// A riddle that somebody else poses appears, and its messages when it is chosen, without a click on reload.
const posed = await fetch(new URL("/riddles", url), {
  method: "POST",
  headers: { authorization: `Bearer ${secret}` },
  body: JSON.stringify({ id: "elsewhere", riddle: { question: "6 * 7" } }),
});
assert.equal(posed.status, 202);
await solved("elsewhere", "42");
await row("elsewhere").getByRole("button").focus();
await page.keyboard.press("Enter");
await page.getByText("Messages of elsewhere").waitFor();
await page.locator("#messages td[data-name=stage]").getByText("ended").waitFor();
assert.equal(await page.locator("#riddles tr.chosen button[aria-pressed=true]").textContent(), "elsewhere");
await page.locator("#messages summary").first().focus();
await page.keyboard.press("Enter");
await page.locator("#messages pre").getByText("\"question\": \"6 * 7\"").waitFor();
assert.equal(await page.evaluate(() => window.stays), "here", "the page was not loaded again");
await shot("opened");

await page.emulateMedia({ colorScheme: "dark" });
await legible("dark");
await shot("dark");
await page.setViewportSize({ width: 360, height: 740 });
await fits("the table");
await shot("phone-dark");
await page.emulateMedia({ colorScheme: "light" });
await shot("phone");

// What it says when the server is away, and when it is back.
await page.route("**/riddles", route => route.abort());
await page.locator("#state").getByText("not up to date").waitFor();
await page.unroute("**/riddles");
await page.waitForFunction(() => document.getElementById("state").textContent === "");
faults.splice(0, faults.length, ...faults.filter(fault => !fault.includes("ERR_FAILED")));

for (const [path, heading] of [["docs", "Riddles"], ["docs/agents", "Agents of riddles"]]) {
  await page.goto(new URL(path, url).href);
  assert.equal(await page.locator("h1").textContent(), heading);
  await fits(path);
  await legible(path);
  await shot(path.replace("/", "-"));
}
await page.emulateMedia({ colorScheme: "dark" });
await legible("documentation, dark");
await page.getByRole("link", { name: "All riddles" }).click();
await page.locator("#riddles tr").first().waitFor();

assert.deepEqual(faults, []);
await browser.close();
console.log("ok");
