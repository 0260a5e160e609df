/** Imported first by index.tsx: a module's code runs before that of the modules after it, and the address is clean then. */
import { takeFragment } from "./fragment";

export const firstSecrets = takeFragment(location, history);
