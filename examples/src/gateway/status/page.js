// Shows /status.json, every second anew. All of it is put there as text.
const byId = (id) => document.getElementById(id);

function element(name, ...children) {
  const made = document.createElement(name);
  made.append(...children);
  return made;
}

function numbers(list, entries) {
  list.replaceChildren(...entries.map(([name, value]) =>
    element("div", element("dt", name), element("dd", value ?? "–"))));
}

const ms = (value) => (value === null ? "–" : value.toFixed(1));

function show(status) {
  const { sessions, concurrency, limits } = status;
  numbers(byId("now"), [
    ["under way", status.under_way],
    ["sessions", sessions?.active],
    ["waiting for a turn", sessions?.waiting],
    ["waited p99, ms", ms(sessions?.waited.p99_ms ?? null)],
    ["permits held", concurrency.held],
    ["refused by limits", limits.refused],
    ["retries", status.retries],
  ]);
  numbers(byId("requests"), Object.entries(status.requests));
  numbers(byId("errors"), Object.entries(status.errors));
  byId("recent").replaceChildren(...status.recent.map((it) => element("tr",
    ...[it.outcome, it.status, `${it.method} ${it.path}`, ms(it.ms), it.attempts, it.tokens, it.error]
      .map((value) => element("td", String(value ?? ""))))));
}

async function refresh() {
  try {
    const answer = await fetch("/status.json");
    show(await answer.json());
    byId("trouble").hidden = true;
  } catch {
    byId("trouble").hidden = false;
  }
  setTimeout(refresh, 1000);
}

refresh();
