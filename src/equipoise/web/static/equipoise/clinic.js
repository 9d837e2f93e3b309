// What a page does by itself, beyond what htmx does from its attributes. Everything works without it.
"use strict";

// A form that was sent is not sent again by a second click.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  for (const button of form.querySelectorAll("button:not([name])")) button.setAttribute("aria-busy", "true");
  // A file takes its time.
  const sends = [...form.querySelectorAll("input[type=file]")].some((field) => field.files.length);
  for (const bar of form.querySelectorAll("progress")) bar.hidden = !sends;
});

// Going back shows a page that may be sent anew.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
    for (const bar of form.querySelectorAll("progress")) bar.hidden = true;
  }
});

// What was wrong is where the reader goes on.
document.addEventListener("DOMContentLoaded", () => {
  const wrong = document.querySelector("[role=alert]");
  if (wrong) {
    wrong.tabIndex = -1;
    wrong.focus();
  }
});


// -- forms that are drawn from the definition

// A question that is not asked is put away, and not sent; what was answered comes back with it.
function putAway() {
  const judged = document.getElementById("judged");
  if (!judged) return;
  const unasked = new Set(judged.dataset.unasked.split(" "));
  for (const box of document.querySelectorAll("[data-conditional]")) {
    const away = unasked.has(box.id.replace("of-item-", ""));
    box.hidden = away;
    for (const field of box.querySelectorAll("input, select, textarea")) field.disabled = away;
  }
  for (const problem of document.querySelectorAll(".item > .problem[id^=problem-item-]")) {
    problem.parentElement.classList.toggle("wrong", !problem.hidden);
  }
}
document.addEventListener("DOMContentLoaded", putAway);
document.addEventListener("htmx:afterSettle", putAway);
document.addEventListener("htmx:oobAfterSwap", putAway);

// -- drafts: on the server as one types; in this browser only while the server has not confirmed

const DRAFT = "draft";
const KEEP_MILLISECONDS = 1200;

const ownKey = (page) => [DRAFT, document.body.dataset.account, document.body.dataset.role, page].join(" ");

function storeHere(key, text) {
  try {
    if (text === null) localStorage.removeItem(key);
    else localStorage.setItem(key, text);
  } catch {
    // A browser that keeps nothing keeps no draft; the server does.
  }
}

// Sends what was typed; true only if the server said that it has it.
async function sendDraft(address, fields) {
  const token = document.querySelector("[name=csrfmiddlewaretoken]");
  const body = new URLSearchParams(fields);
  body.set("csrfmiddlewaretoken", token ? token.value : "");
  try {
    const answer = await fetch(address, { method: "POST", body, redirect: "manual" });
    return answer.status === 204;
  } catch {
    return false;
  }
}

function typedIn(form) {
  const fields = new URLSearchParams(new FormData(form));
  fields.set("page", form.dataset.draft);
  fields.delete("csrfmiddlewaretoken");
  return fields;
}

function watchDraft(form) {
  const state = document.getElementById("draft-state");
  const key = ownKey(form.dataset.draft);
  let timer = 0;
  async function keep() {
    const fields = typedIn(form);
    const kept = await sendDraft(state.dataset.address, fields);
    if (form.dataset.sent) return;
    storeHere(key, kept ? null : fields.toString());
    state.textContent = kept ? state.dataset.kept : state.dataset.local;
  }
  function later() {
    clearTimeout(timer);
    timer = setTimeout(keep, KEEP_MILLISECONDS);
  }
  form.addEventListener("input", later);
  form.addEventListener("change", later);
  window.addEventListener("online", keep);
  form.addEventListener("submit", () => {
    clearTimeout(timer);
    // Sending may end at the log-in page, or nowhere: the next page asks the server what became of it.
    storeHere(key, typedIn(form).toString());
  });
}

// What this browser still holds of this account, in this role, goes to the server.
async function handOver() {
  const start = ownKey("");
  const keys = [];
  try {
    for (let place = 0; place < localStorage.length; place += 1) keys.push(localStorage.key(place));
  } catch {
    return;
  }
  let handed = false;
  for (const key of keys.filter((each) => each.startsWith(start))) {
    const fields = new URLSearchParams(localStorage.getItem(key));
    if (await sendDraft("/drafts/", fields)) {
      storeHere(key, null);
      handed = handed || fields.get("page") === location.pathname;
    }
  }
  // The page that was just opened may now have a draft to offer.
  if (handed && document.querySelector("form[data-draft]:not([data-posted])")) location.reload();
}

document.addEventListener("DOMContentLoaded", () => {
  if (!document.body.dataset.account) return;
  handOver();
  for (const form of document.querySelectorAll("form[data-draft]")) watchDraft(form);
});

// Whoever logs out leaves nothing behind in the browser.
document.addEventListener("submit", (event) => {
  if (!event.target.action.endsWith("/accounts/logout/") || !document.body.dataset.account) return;
  const start = [DRAFT, document.body.dataset.account, ""].join(" ");
  for (const key of Object.keys(localStorage)) if (key.startsWith(start)) storeHere(key, null);
});
