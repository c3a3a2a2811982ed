// ---- Building and keeping elements. Data becomes text nodes only, so that no room's name is ever HTML.

const byId = (id) => document.getElementById(id);

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

function makeSvg(tag, attributes = {}) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

// Only what changed is touched: selections stay, and a screen reader reads out only what is new.
function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function set(node, name, value) {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

// The focus of an element that goes away would fall to the body, and the reader to the top. A near element takes it.
function land(node) {
  const next = node.closest(".gateway-actions")?.querySelector("button:not([hidden])")
    ?? node.closest("#found, section")?.querySelector("[tabindex='-1']");
  next?.focus({ preventScroll: true });
}

function show(node, visible) {
  if (node.hidden !== visible) return;
  const hadFocus = !visible && node.contains(document.activeElement);
  node.hidden = !visible;
  if (hadFocus) land(node);
}

// Makes `list` hold one child for each item, and reuses those it has: focus and opened details stay.
// `create(item)` makes a child, `update(child, item)` brings it up to date.
function keep(list, items, keyOf, create, update = () => {}) {
  const had = list.kept ?? new Map();
  const kept = new Map();
  for (const item of items) {
    const key = keyOf(item);
    const child = had.get(key) ?? create(item);
    had.delete(key);
    kept.set(key, child);
    update(child, item);
  }
  for (const child of had.values()) child.remove();
  list.kept = kept;
  let place = list.firstElementChild;
  for (const child of kept.values()) {
    // One that moves loses the focus: the others go around it.
    while (place !== null && place !== child && child.contains(document.activeElement)) {
      const passed = place;
      place = place.nextElementSibling;
      list.append(passed);
    }
    if (child === place) place = place.nextElementSibling;
    else list.insertBefore(child, place);
  }
}

const keepTexts = (list, texts) => keep(list, [...new Set(texts)], (text) => text, (text) => make("li", {}, text));
