/** How pictures are named and shown. Pure. */

import type { Item } from "./groups";

const EXTENSIONS: Readonly<Record<string, string>> = { "image/png": "png", "image/jpeg": "jpg", "image/webp": "webp" };

export function extensionOf({ type }: Item): string {
  return EXTENSIONS[type] ?? "bin";
}

/** Return what a picture is called: its caption, else its number among those of its step. */
export function pictureName({ caption, index }: Item): string {
  return caption.trim() || `picture ${index + 1}`;
}

/** Whether a picture has so few points that each is to be seen, and not smoothed over. */
export function isTiny(width: number, height: number): boolean {
  return Math.max(width, height) <= 128;
}

/** Return how large a picture is drawn in a room: tiny ones grow by whole numbers, none shrinks below the room's need. */
export function sizeIn(picture: { width: number; height: number }, room: { width: number; height: number }) {
  const fit = Math.min(room.width / picture.width, room.height / picture.height);
  const scale = isTiny(picture.width, picture.height) && fit >= 1 ? Math.floor(fit) : Math.min(1, fit);
  return { width: Math.round(picture.width * scale), height: Math.round(picture.height * scale) };
}
