// Keeps parts of a page up to date while somebody looks: the elements with data-watch, every so many seconds, until the
// page says 0. Without it the page has a link that does the same. An error changes nothing.
"use strict";
{
  const parts = [...document.querySelectorAll("[data-watch]")];
  const seconds = (watched) => Math.max(0, ...watched.map((part) => Number(part.dataset.watch)));
  const look = async () => {
    if (document.hidden) return;
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = [...page.querySelectorAll("[data-watch]")];
    if (fresh.length !== parts.length) return;
    parts.forEach((part, place) => {
      if (fresh[place].textContent !== part.textContent) part.replaceChildren(...fresh[place].childNodes);
    });
    if (!seconds(fresh)) clearInterval(timer);
  };
  const timer = seconds(parts) && setInterval(() => look().catch(() => {}), 1000 * seconds(parts));
}
