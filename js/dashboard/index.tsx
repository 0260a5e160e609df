/** The dashboard's entry: takes secrets out of the address, then draws the page that the server has named. */
import { firstSecrets } from "./secrets";

// This import stays first: see secrets.ts.

import { mount } from "./app";
import "../media/media.css";
import "./dashboard.css";
import "./plotly.css";
import { readPage } from "./page";

mount(readPage(document.documentElement.dataset), firstSecrets);
