// Runs when the page has loaded: measures it, and tells the page around it.
addEventListener("load", () => {
  const channel = (c) => ((c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  const luminance = (c) => 0.2126 * channel(c[0]) + 0.7152 * channel(c[1]) + 0.0722 * channel(c[2]);
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const colour = (text) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = text;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);

  // What lies behind a text: areas of its drawing that were painted before it, and what is around it.
  const layers = (element, box) => {
    const found = [];
    const drawing = element.closest("svg");
    if (drawing) {
      const x = box.x + box.width / 2;
      const y = box.y + box.height / 2;
      for (const area of drawing.querySelectorAll("rect")) {
        const style = getComputedStyle(area);
        const { left, right, top, bottom } = area.getBoundingClientRect();
        const before = area.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_FOLLOWING;
        if (style.fill === "none" || !before || left > x || right < x || top > y || bottom < y) continue;
        const fill = colour(style.fill);
        fill[3] *= style.fillOpacity * style.opacity;
        found.unshift(fill);
      }
    }
    for (let at = element; at; at = at.parentElement) {
      if (!(at instanceof SVGElement)) found.push(colour(getComputedStyle(at).backgroundColor));
    }
    return found;
  };

  const faint = [];
  let texts = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const element = node.parentElement;
    if (!node.data.trim() || element.closest("script, style, title, desc")) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const box = range.getBoundingClientRect();
    const style = getComputedStyle(element);
    if (style.visibility === "hidden" || box.width < 1 || box.height < 1) continue;
    texts += 1;
    const ground = layers(element, box)
      .reverse()
      .reduce((below, top) => over(top, below), [255, 255, 255, 1]);
    const ink = over(colour(element.closest("svg") ? style.fill : style.color), ground);
    const [light, dark] = [luminance(ink), luminance(ground)].sort((a, b) => b - a);
    const contrast = (light + 0.05) / (dark + 0.05);
    if (contrast < 4.5) faint.push(`${contrast.toFixed(2)} "${node.data.trim().slice(0, 40)}"`);
  }
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const wide = document.documentElement.scrollWidth;
  parent.postMessage(JSON.stringify({ said, width: innerWidth, wide, dark, texts, faint }), "*");
});
