// The contact sheet by keyboard: one image is marked, keys act on it, and each verdict is stored before it shows.
const cards = [...document.querySelectorAll(".card")];
const why = document.getElementById("why");
const large = document.getElementById("large");
const EVERY_MS = 5000;
const SAYS = { approved: "Approved", removed: "Removed" };
const REASONS = { h: "harmful", b: "broken", d: "near-duplicate", o: "other" };
const seen = new Set();
const said = [];
let current = cards[0];
let waiting = 0;
let queue = Promise.resolve();
let asked = null;

// --- What is shown ---

function tell(text) {
  document.getElementById("said").textContent = text;
}

function promptOf(card) {
  return card.closest("section");
}

function wordOf(card) {
  const [verdict, reason] = [card.dataset.verdict, card.dataset.reason];
  return verdict ? SAYS[verdict].toLowerCase() + (reason ? `, ${reason}` : "") : "not looked at";
}

function mark(card, { focus = true } = {}) {
  if (!card) return;
  current.classList.remove("current");
  current.tabIndex = -1;
  current = card;
  current.classList.add("current");
  current.tabIndex = 0;
  if (focus && !large.open) current.focus();
  if (large.open) fill();
}

function paint(standing) {
  for (const card of cards) {
    const [verdict, reason] = standing.verdicts[card.dataset.image] ?? ["", ""];
    card.dataset.verdict = verdict;
    card.dataset.reason = reason;
    card.classList.toggle("approved", verdict === "approved");
    card.classList.toggle("removed", verdict === "removed");
    const shown = card.closest("figure").querySelector(".verdict");
    shown.className = `verdict ${verdict}`;
    const text = verdict ? SAYS[verdict] + (reason ? `: ${reason}` : "") : "";
    if (shown.textContent !== text) shown.textContent = text;
    const flags = card.dataset.flags ? `; flagged: ${card.dataset.flags}` : "";
    card.setAttribute("aria-label", `${card.dataset.name}, ${wordOf(card)}${flags}`);
  }
  const done = standing.approved + standing.removed;
  document.getElementById("progress").value = done;
  const all = done === standing.images ? " All done: close this page and stop the command." : "";
  document.getElementById("count").textContent = `${done} of ${standing.images} looked at, ${standing.removed} removed.${all}`;
  if (large.open) fill();
}

function fill() {
  document.getElementById("large-prompt").textContent = promptOf(current).querySelector("h2").lastChild.textContent.trim();
  const address = `/image/large/${current.dataset.image}`;
  const image = document.getElementById("large-image");
  if (image.getAttribute("src") !== address) image.setAttribute("src", address);
  document.getElementById("large-name").textContent = `${current.dataset.name}, ${wordOf(current)}`;
  document.getElementById("large-flags").textContent = current.dataset.flags;
  seen.add(current);
}

// --- What is sent ---

async function send(path, fields) {
  try {
    const body = fields && JSON.stringify({ form_token: document.body.dataset.formToken, ...fields });
    const answer = await fetch(path, fields ? { method: "POST", headers: { "Content-Type": "application/json" }, body } : { cache: "no-store" });
    const standing = await answer.json();
    if (!answer.ok) throw new Error(standing.problem);
    paint(standing);
    return standing;
  } catch (error) {
    if (fields) tell(`Not stored: ${error.message || "the command that serves this page was stopped"}`);
    return null;
  }
}

// One after the other, in the order of the keys, so that no late answer shows over a newer one.
function inTurn(act) {
  waiting += 1;
  queue = queue.then(act).finally(() => { waiting -= 1; });
  return queue;
}

// The mark moves on at once, so that fast keys never meet the image before.
async function say(images, verdict, { reason = "", rest = "" } = {}) {
  mark(cards[Math.min(cards.indexOf(images[images.length - 1]) + 1, cards.length - 1)]);
  const numbers = images.map((card) => card.dataset.image).join(",");
  const standing = await inTurn(() => send("/verdict", { images: numbers, verdict, reason, rest }));
  if (!standing) {
    mark(images[0]);
    return;
  }
  said.push(standing.said);
  const agreed = images.filter((card) => standing.verdicts[card.dataset.image]?.[0] === verdict).length;
  const what = images.length === 1 ? images[0].dataset.name : `${agreed} images`;
  tell(`${what}: ${SAYS[verdict].toLowerCase()}${reason ? `, ${reason}` : ""}`);
}

// What there is to take back is known only once every key before this one was answered.
function undo() {
  inTurn(async () => {
    if (!said.length) {
      tell("Nothing to undo");
      return;
    }
    const standing = await send("/undo", { said: String(said[said.length - 1]) });
    if (!standing) return;
    said.pop();
    tell(standing.undone.length ? "Undone" : "Somebody said something else of it since; that stays");
    if (standing.undone.length) mark(cards.find((card) => Number(card.dataset.image) === standing.undone[0]));
  });
}

function approveRest() {
  const group = cards.filter((card) => promptOf(card) === promptOf(current));
  const unseen = group.find((card) => !seen.has(card));
  if (unseen) {
    tell("Look at all images of the prompt first: here is one that was not on the screen");
    mark(unseen);
    return;
  }
  const rest = group.filter((card) => !card.dataset.verdict);
  // A removal may still be under way, from here or from another tab: the server approves only what nobody said anything of.
  if (rest.length) say(rest, "approved", { rest: "yes" });
  else tell("All images of this prompt have a verdict");
}

// --- Keys and clicks ---

function neighbour(key) {
  const at = cards.indexOf(current);
  if (key === "ArrowLeft") return cards[at - 1];
  if (key === "ArrowRight") return cards[at + 1];
  const here = current.getBoundingClientRect();
  const down = key === "ArrowDown";
  const beyond = cards
    .map((card) => [card, card.getBoundingClientRect()])
    .filter(([, box]) => (down ? box.top > here.top + 1 : box.top < here.top - 1));
  const cost = ([, box]) => Math.abs(box.top - here.top) * 1000 + Math.abs(box.left - here.left);
  return beyond.sort((one, other) => cost(one) - cost(other))[0]?.[0];
}

function enlarge() {
  large.showModal();
  fill();
}

function ask() {
  asked = current;
  why.showModal();
}

function remove(reason) {
  why.close();
  say([asked], "removed", { reason });
}

function press(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const onOther = event.target.closest?.("button:not(.card)");
  if (why.open) {
    if (REASONS[key] && !event.repeat) remove(REASONS[key]);
    return;
  }
  const isArrow = key.startsWith("Arrow");
  if (isArrow && !(large.open && key !== "ArrowLeft" && key !== "ArrowRight")) {
    event.preventDefault();
    mark(neighbour(key));
  } else if (event.repeat) {
    // A held key is one verdict.
  } else if (key === "a") {
    event.preventDefault();
    if (event.shiftKey) approveRest();
    else say([current], "approved");
  } else if (key === "r") {
    event.preventDefault();
    ask();
  } else if (key === "u") {
    undo();
  } else if ((key === " " || key === "Enter") && !onOther && !large.open) {
    event.preventDefault();
    enlarge();
  }
}

function listen() {
  document.addEventListener("keydown", press);
  for (const card of cards) {
    card.addEventListener("click", () => {
      mark(card);
      enlarge();
    });
    card.addEventListener("focus", () => mark(card, { focus: false }));
  }
  for (const button of why.querySelectorAll("[data-reason]")) button.addEventListener("click", () => remove(button.dataset.reason));
  const on = (id, act) => document.getElementById(id).addEventListener("click", act);
  on("approve", () => say([current], "approved"));
  on("remove", ask);
  on("undo", undo);
  on("enlarge", enlarge);
  on("rest", approveRest);
  on("keep", () => why.close());
  on("large-approve", () => say([current], "approved"));
  on("large-remove", ask);
  on("large-close", () => large.close());
  on("large-previous", () => mark(neighbour("ArrowLeft")));
  on("large-next", () => mark(neighbour("ArrowRight")));
  large.addEventListener("close", () => current.focus());
}

// An image counts as seen when most of it was on the screen.
const watcher = new IntersectionObserver(
  (entries) => entries.filter((entry) => entry.isIntersecting).forEach((entry) => seen.add(entry.target)),
  { threshold: 0.6, rootMargin: "-40px 0px -70px 0px" },
);
cards.forEach((card) => watcher.observe(card));

// Nothing can be said of an image before it is known what was said of it already.
async function start() {
  while (!(await send("/reviews"))) {
    tell("The verdicts so far cannot be read at the moment; trying again");
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
  tell("");
  mark(cards.find((card) => !card.dataset.verdict) ?? cards[0]);
  listen();
  setInterval(() => document.hidden || waiting || inTurn(() => send("/reviews")), EVERY_MS);
}

if (cards.length) start();
