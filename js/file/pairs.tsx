/** Names and values as a table. */

import { isNumber, longValue } from "../dashboard/format";

export function Pairs({ label, values }: { label: string; values: readonly (readonly [string, unknown])[] }) {
  if (!values.length) return <p class="anr-empty">This run has no {label}.</p>;
  return (
    <table class="anr-pairs">
      <thead>
        <tr>
          <th scope="col">name</th>
          <th scope="col">value</th>
        </tr>
      </thead>
      <tbody>
        {values.map(([name, value]) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td class="anr-num" title={isNumber(value) ? String(value) : undefined}>
              {longValue(value)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
