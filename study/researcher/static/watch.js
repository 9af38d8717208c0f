// Puts fresh numbers in place of old ones, part by part and only where something changed, so that nothing flickers or jumps.
const EVERY_MS = 5000;
const stale = document.getElementById("stale");
let latest = Date.now();
let asking = false;

function replace(part) {
  const shown = document.querySelector(`[data-part="${part.dataset.part}"]`);
  if (!shown) return;
  const open = [...shown.querySelectorAll("details[open]")].map((each) => each.id);
  for (const id of open) part.querySelector(`#${id}`)?.setAttribute("open", "");
  if (shown.innerHTML === part.innerHTML) return;
  const focused = shown.contains(document.activeElement) ? document.activeElement.id : "";
  const scrolled = [...shown.querySelectorAll(".scroll")].map((each) => [each.id, each.scrollLeft]);
  shown.replaceChildren(...part.childNodes);
  for (const [id, left] of scrolled) {
    const region = document.getElementById(id);
    if (region) region.scrollLeft = left;
  }
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

function note(text) {
  if (stale.textContent !== text) stale.textContent = text;
}

function warn() {
  const seconds = Math.round((Date.now() - latest) / 1000);
  if (seconds > 10) note("These numbers are not fresh: the page’s server or the database does not answer. It goes on by itself.");
}

async function refresh() {
  if (document.hidden) return;
  if (asking) {
    // A second answer could come before the first, and old numbers would stand over new ones.
    warn();
    return;
  }
  asking = true;
  try {
    const answer = await fetch("/live", { cache: "no-store" });
    if (answer.status === 401) {
      location.assign("/login");
      return;
    }
    if (!answer.ok) throw new Error(String(answer.status));
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    fresh.querySelectorAll("[data-part]").forEach(replace);
    latest = Date.now();
    note("");
  } catch {
    warn();
  } finally {
    asking = false;
  }
}

setInterval(refresh, EVERY_MS);
document.addEventListener("visibilitychange", refresh);
