/** Draws a page: the navigation, and in the main part what the page's name asks for. */
import { type ComponentChildren, render } from "preact";
import { type Secrets, takeFragment } from "./fragment";
import { clientAt, sender } from "./http";
import { takeWord } from "./kept";
import type { Account, PageContext } from "./page";
import { ClaimPage } from "./pages/claim";
import { ComparePage } from "./pages/compare";
import { DevicePage } from "./pages/device";
import { EmbedPage } from "./pages/embed";
import { EnterPage } from "./pages/enter";
import { ProjectPage } from "./pages/project";
import { RecoverPage } from "./pages/recover";
import { ReturnPage } from "./pages/return";
import { RunPage } from "./pages/run";
import { RunsPage } from "./pages/runs";
import { SettingsPage } from "./pages/settings";
import { SignPage } from "./pages/sign";
import { type Shell, ShellContext } from "./parts/context";
import { AccountNav } from "./parts/nav";
import { RunNews } from "./run_news";
import { sessionApi } from "./session";

function contentOf(page: PageContext, secrets: Secrets): ComponentChildren | null {
  // The server has said all there is to say, unless the link brought a secret that it could not see.
  if (page.problem !== null && Object.keys(secrets).length === 0) return null;
  switch (page.name) {
    case "runs":
      return <RunsPage />;
    case "run":
      return page.runId === null ? null : <RunPage runId={page.runId} secrets={secrets} />;
    case "project":
      return page.project === null ? null : <ProjectPage {...page.project} />;
    case "compare":
      return <ComparePage />;
    case "embed":
      return page.runId === null ? null : <EmbedPage runId={page.runId} />;
    case "claim":
      return <ClaimPage secrets={secrets} />;
    case "enter":
      return <EnterPage secrets={secrets} />;
    case "device":
      return <DevicePage />;
    case "recover":
      return <RecoverPage />;
    case "sign-in":
    case "sign-up":
      return <SignPage act={page.name} invitation={secrets.invitation} />;
    case "return":
      return page.provider === null ? null : <ReturnPage provider={page.provider} />;
    case "settings":
      return <SettingsPage />;
    default:
      return null;
  }
}

function Within({ shell, children }: { readonly shell: Shell; readonly children: ComponentChildren }) {
  return <ShellContext.Provider value={shell}>{children}</ShellContext.Provider>;
}

/** Draw into `#account` and `#app`, and again when who is signed in, or a pasted link's secret, changes. */
export function mount(page: PageContext, first: Secrets): void {
  const client = clientAt(page.prefix);
  const send = sender(client);
  const session = sessionApi(send);
  const news = new RunNews(client, document);
  let account: Account | null = page.account;
  let secrets = first;

  const say = (text: string) => {
    const place = document.getElementById("said");
    if (place) place.textContent = text;
  };
  const setAccount = (next: Account | null) => {
    account = next;
    draw();
  };
  const draw = () => {
    const shell: Shell = { page, client, send, session, news, account, setAccount, say };
    const nav = document.getElementById("account");
    const root = document.getElementById("app");
    if (nav) render(<Within shell={shell}>{<AccountNav />}</Within>, nav);
    const content = contentOf(page, secrets);
    if (root && content !== null) {
      if (!root.dataset.drawn) root.replaceChildren();
      root.dataset.drawn = "yes";
      render(<Within shell={shell}>{content}</Within>, root);
    }
  };
  // A link to this very page, pasted into its own tab, changes the fragment and loads nothing.
  addEventListener("hashchange", () => {
    const pasted = takeFragment(location, history);
    if (Object.keys(pasted).length === 0) return;
    secrets = pasted;
    draw();
  });
  draw();
  if (page.name === "return" || page.name === "embed") return; // what is embedded has no storage
  const word = takeWord(sessionStorage);
  if (word !== null) say(word);
}
