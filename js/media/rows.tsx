/** What a picture shows, as a table that scrolls within the room it is given. */

export interface RowsProps {
  readonly name: string;
  readonly columns: readonly string[];
  /** The first cell of each is its header. */
  readonly rows: readonly (readonly string[])[];
  /** Said where there is no row. */
  readonly empty?: string;
}

export function Rows({ name, columns, rows, empty }: RowsProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <section class="anr-rows" tabIndex={0} aria-label={`Values of ${name}`}>
      <table class="anr-num">
        {!rows.length && empty && <caption>{empty}</caption>}
        <thead>
          <tr>
            {columns.map((column, i) => (
              <th key={i} scope="col">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(([head, ...cells], i) => (
            <tr key={i}>
              <th scope="row">{head}</th>
              {cells.map((cell, k) => (
                <td key={k}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
