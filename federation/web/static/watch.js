// Keeps one part of a page up to date while somebody looks: the element with data-watch, every so many seconds.
// Without it the page has a link that does the same. An answer without the element, or an error, changes nothing.
"use strict";
{
  const part = document.querySelector("[data-watch]");
  const look = async () => {
    if (document.hidden) return;
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("[data-watch]");
    if (fresh && fresh.textContent !== part.textContent) part.replaceChildren(...fresh.childNodes);
  };
  if (part) setInterval(() => look().catch(() => {}), 1000 * Number(part.dataset.watch));
}
