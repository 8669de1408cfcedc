// Elements. Whatever comes from elsewhere becomes text: nothing here makes markup of a string.

const SVG = "http://www.w3.org/2000/svg";

function put(element, properties, children) {
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(Infinity).filter((each) => each !== null && each !== undefined && each !== false));
  return element;
}

export const h = (tag, properties, ...children) => put(document.createElement(tag), properties, children);

export const svg = (tag, properties, ...children) => put(document.createElementNS(SVG, tag), properties, children);

export const byId = (id) => document.getElementById(id);

/** A link into this page: `to("integrations", name)`; every part is encoded. */
export const to = (...parts) => `#/${parts.map(encodeURIComponent).join("/")}`;

/** Of an address that the map names, what may be a link: nothing but https and http. */
export function outside(address) {
  try {
    const url = new URL(address);
    return url.protocol === "https:" || url.protocol === "http:" ? url.href : null;
  } catch {
    return null;
  }
}

/** Put children in place of an element's own, and the focus where it was: each that can have it says its `data-key`. */
export function redraw(element, ...children) {
  const held = document.activeElement;
  const key = element.contains(held) ? held.dataset.key : undefined;
  element.replaceChildren(...children.flat(Infinity).filter(Boolean));
  if (key !== undefined) {
    const again = [...element.querySelectorAll("[data-key]")].find((each) => each.dataset.key === key);
    (again ?? element).focus({ preventScroll: true });
  }
}
