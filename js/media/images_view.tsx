/** The pictures of one step: small ones side by side, and one of them large in a dialog. */

import { useEffect, useRef, useState } from "preact/hooks";
import { fileName } from "../charts/csv";
import { save } from "../charts/picture";
import { Awaited, Remark, useContent } from "./content";
import type { Item, Stop } from "./groups";
import { extensionOf, isTiny, pictureName, sizeIn } from "./pictures";
import type { MediaStore } from "./store";

/** So many are shown at first, and more when they are asked for. */
const PORTION = 24;

interface PictureProps {
  readonly store: MediaStore;
  readonly item: Item;
  /** Whether it fills the dialog. */
  readonly large?: boolean;
  /** What it leads to when it is pressed. */
  onPress?(): void;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** The room of the dialog's picture. */
function roomOf(): Size {
  return { width: Math.min(1060, innerWidth * 0.94 - 40), height: innerHeight * 0.92 - 150 };
}

function styleOf({ width, height }: Size) {
  return { width: `${width}px`, height: `${height}px` };
}

function Picture({ store, item, large = false, onPress }: PictureProps) {
  const [size, setSize] = useState<Size | null>(null);
  const [damaged, setDamaged] = useState(false);
  useEffect(() => setDamaged(false), [item]);
  const content = useContent(
    item.media_id,
    () => store.heldPicture(item),
    () => store.picture(item),
  );
  if (damaged) return <Remark>This picture cannot be shown: its file is damaged.</Remark>;
  return (
    <Awaited name={pictureName(item)} content={content}>
      {(url) => {
        const image = (
          <img
            src={url}
            alt={pictureName(item)}
            data-tiny={(size && isTiny(size.width, size.height)) || undefined}
            // Before it is known how large it is, a dialog would show it in passing as it came.
            style={large ? (size ? styleOf(sizeIn(size, roomOf())) : { visibility: "hidden" }) : undefined}
            draggable={false}
            onLoad={({ currentTarget: { naturalWidth: width, naturalHeight: height } }) => setSize({ width, height })}
            onError={() => setDamaged(true)}
          />
        );
        return onPress ? (
          <button type="button" class="anr-thumb" aria-label={`Enlarge ${pictureName(item)}`} onClick={onPress}>
            {image}
          </button>
        ) : (
          image
        );
      }}
    </Awaited>
  );
}

interface EnlargedProps {
  readonly store: MediaStore;
  readonly name: string;
  readonly stop: Stop;
  readonly at: number;
  onGo(at: number): void;
  onClose(): void;
}

function Enlarged({ store, name, stop, at, onGo, onClose }: EnlargedProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [trouble, setTrouble] = useState("");
  useEffect(() => dialog.current?.showModal(), []);
  const { items, step } = stop;
  const item = items[at] as Item;
  const many = items.length > 1;
  const go = (by: -1 | 1) => onGo((at + by + items.length) % items.length);
  const keep = async () => {
    const answer = await store.picture(item);
    if (!answer.ok) return setTrouble(answer.problem.detail);
    const named = fileName(`${name}-step-${step}-${item.index}`, extensionOf(item));
    save(await (await fetch(answer.value)).blob(), named);
  };
  return (
    <dialog
      ref={dialog}
      class="anr-dialog anr-large"
      aria-label={`${name}, step ${step}: ${pictureName(item)}`}
      onClose={onClose}
      onKeyDown={(event) => {
        const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key] as -1 | 1 | undefined;
        if (by && many) go(by);
      }}
    >
      <header>
        <b class="anr-title">{name}</b>
        <span class="anr-dim anr-num">
          step {step}
          {many && ` · ${at + 1} of ${items.length}`}
        </span>
        <button type="button" class="anr-quiet" onClick={() => dialog.current?.close()}>
          Close
        </button>
      </header>
      <div class="anr-photo">
        <Picture key={item.media_id} store={store} item={item} large />
      </div>
      <footer>
        {many && (
          <button type="button" class="anr-quiet" onClick={() => go(-1)}>
            Previous
          </button>
        )}
        {many && (
          <button type="button" class="anr-quiet" onClick={() => go(1)}>
            Next
          </button>
        )}
        <button type="button" class="anr-quiet" onClick={() => void keep()}>
          Save
        </button>
        <span class="anr-caption" role="status">
          {trouble || item.caption}
        </span>
      </footer>
    </dialog>
  );
}

export interface ImagesViewProps {
  readonly store: MediaStore;
  readonly name: string;
  readonly stop: Stop;
}

export function ImagesView({ store, name, stop }: ImagesViewProps) {
  const [portions, setPortions] = useState(1);
  const [large, setLarge] = useState<number | null>(null);
  const shown = stop.items.slice(0, portions * PORTION);
  const left = stop.items.length - shown.length;
  return (
    <>
      <ul class="anr-pictures" data-one={stop.items.length === 1 || undefined}>
        {shown.map((item, i) => (
          // By place, so that the picture of the step before stays until the next one is there.
          <li key={i}>
            <Picture store={store} item={item} onPress={() => setLarge(i)} />
            {item.caption && (
              <span class="anr-caption" title={item.caption}>
                {item.caption}
              </span>
            )}
          </li>
        ))}
      </ul>
      {left > 0 && (
        <button type="button" class="anr-quiet anr-more" onClick={() => setPortions(portions + 1)}>
          Show more ({left} left)
        </button>
      )}
      {large !== null && stop.items[large] && (
        <Enlarged {...{ store, name, stop }} at={large} onGo={setLarge} onClose={() => setLarge(null)} />
      )}
    </>
  );
}
