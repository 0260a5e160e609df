import type { History } from "../../charts/history";

export interface ChartsProps {
  readonly history: History;
  readonly loaded: boolean;
  readonly running: boolean;
  readonly system: boolean;
}

export function Charts({ history }: ChartsProps) {
  return <p>{history.points}</p>;
}
