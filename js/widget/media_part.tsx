/** The place below the charts that the script of media draws into. */

import { useEffect, useRef } from "preact/hooks";
import type { KernelMedia } from "../media/kernel";

export function MediaPart({ media, ...props }: { media: KernelMedia } & Parameters<KernelMedia["draw"]>[1]) {
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => media.draw(host.current as HTMLElement, props), [media, props.choices, props.theme, props.runName]);
  useEffect(() => {
    const element = host.current as HTMLElement;
    return () => media.clear(element);
  }, [media]);
  return <div class="anr-under" ref={host} />;
}
