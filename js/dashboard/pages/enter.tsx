/** Where `anonrun ui` leads: a hand-over is exchanged for a session, and on to the runs. */
import { useEffect, useState } from "preact/hooks";
import type { Secrets } from "../fragment";
import { asRefusal, type Refusal } from "../http";
import { href } from "../page";
import { useShell } from "../parts/context";
import { Loading } from "../parts/loading";
import { Notice } from "./notice";

export function EnterPage({ secrets }: { readonly secrets: Secrets }) {
  const { page, session } = useShell();
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const token = secrets.device;

  useEffect(() => {
    if (!token) return;
    session.exchange(token).then(
      () => location.replace(href(page, "/")),
      (reason) => setRefusal(asRefusal(reason)),
    );
  }, [session, token, page]);

  if (token && !refusal) return <Loading what="Letting this browser in…" />;
  return (
    <Notice heading="This way in is closed" actions={[{ label: "Your runs", path: "/" }]}>
      <p>
        {refusal?.status === 0
          ? refusal.message
          : "A link made by anonrun ui works once, in one browser, for five minutes. This one was used, is older, or is not whole."}
      </p>
      <p>
        Run <code>anonrun ui</code> again for a new one.
      </p>
    </Notice>
  );
}
