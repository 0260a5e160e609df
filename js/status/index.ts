/** What is said of a run's course: how far, how fast, how it ended, until when it is kept. */

import "./status.css";

export { type Gone, type Keeping, keepingOf } from "./keeping";
export { type Pace, paceOf } from "./pace";
export { type Course, ProgressBar, type StateWord, useStanding } from "./status_line";
