// Must run before plotly.js: gives it its style sheet as a file where this script came from a server.
// plotly.js would write its rules into the page otherwise, which a strict content policy forbids; it
// leaves that where it finds an element of this id and class.
const { protocol } = new URL(import.meta.url);

if (protocol === "https:" || protocol === "http:") {
  const link = document.createElement("link");
  link.id = "plotly.js-style-global";
  link.className = "no-inline-styles";
  link.rel = "stylesheet";
  link.href = new URL("plotly.css", import.meta.url).href;
  await new Promise((done) => {
    link.onload = done;
    link.onerror = () => {
      link.remove();
      done();
    };
    document.head.append(link);
  });
}
