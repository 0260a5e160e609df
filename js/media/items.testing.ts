/** Items for tests. */

import type { MediaInfo } from "../api";

let made = 0;

export function item(said: Partial<MediaInfo> = {}): MediaInfo {
  made += 1;
  return {
    ...{ position: made, media_id: String(made).padStart(32, "0"), kind: "text", key: "note", step: 0 },
    ...{ time: "2026-11-24T12:00:00Z", type: "text/plain", size_bytes: 1, index: 0, caption: "", content: "x" },
    ...said,
  };
}
