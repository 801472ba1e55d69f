// Keeps a page up to date: fetches it again every few seconds and replaces the parts marked data-live that changed.
// A page without this script shows the same and is reloaded by hand.
"use strict";

(() => {
  const seconds = Number(document.body.dataset.refreshSeconds);
  if (!seconds) return;
  const LIMIT_MS = 10_000;
  const LONGEST_PAUSE_MS = 60_000;
  const button = document.getElementById("pause");
  const told = document.getElementById("updated");
  let paused = false;
  let failures = 0;

  function tell(sentence) {
    if (told.textContent !== sentence) told.textContent = sentence;
  }

  // A reader keeps what they selected.
  function isSelected(part) {
    const selection = document.getSelection();
    return Boolean(selection) && !selection.isCollapsed && selection.containsNode(part, true);
  }

  function bringAttributes(old, newer) {
    for (const { name } of [...old.attributes]) if (!newer.hasAttribute(name)) old.removeAttribute(name);
    for (const { name, value } of newer.attributes) old.setAttribute(name, value);
  }

  // Changes only what differs, so that focus, scrolling and what a screen reader has read stay.
  function bring(old, newer) {
    if (old.isEqualNode(newer)) return;
    if (old.nodeName !== newer.nodeName || old.id !== newer.id) {
      old.replaceWith(newer);
      return;
    }
    if (old.nodeType !== Node.ELEMENT_NODE) {
      old.nodeValue = newer.nodeValue;
      return;
    }
    const atEnd = old.scrollHeight - old.scrollTop - old.clientHeight < 8;
    bringAttributes(old, newer);
    const [olds, newers] = [[...old.childNodes], [...newer.childNodes]];
    newers.forEach((child, place) => (place < olds.length ? bring(olds[place], child) : old.append(child)));
    olds.slice(newers.length).forEach((child) => child.remove());
    if (old.nodeName === "PRE" && atEnd) old.scrollTop = old.scrollHeight;
  }

  async function update() {
    const answer = await fetch(location.href, {
      headers: { Accept: "text/html" },
      cache: "no-store",
      signal: AbortSignal.timeout(LIMIT_MS),
    });
    if (answer.redirected) throw new Error("your session has ended: reload the page and sign in");
    const newer = new DOMParser().parseFromString(await answer.text(), "text/html");
    const parts = document.querySelectorAll("[data-live]");
    const found = [...parts].filter((part) => newer.getElementById(part.id));
    if (!found.length) throw new Error(`core answered with status ${answer.status}`);
    for (const part of found) if (!isSelected(part)) bring(part, newer.getElementById(part.id));
  }

  async function turn() {
    if (!paused && !document.hidden) {
      try {
        await update();
        failures = 0;
        if (!paused) tell("");
      } catch (error) {
        failures += 1;
        if (!paused) tell(`Not up to date: ${error.message}.`);
      }
    }
    setTimeout(turn, Math.min(seconds * 1000 * 2 ** failures, LONGEST_PAUSE_MS));
  }

  button.addEventListener("click", () => {
    paused = !paused;
    button.setAttribute("aria-pressed", String(paused));
    tell(paused ? "Updates are paused." : "");
  });
  document.getElementById("updates").hidden = false;
  document.querySelectorAll("pre").forEach((pre) => { pre.scrollTop = pre.scrollHeight; });
  setTimeout(turn, seconds * 1000);
})();
