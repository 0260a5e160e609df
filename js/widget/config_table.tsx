/** The run's inputs, as text. */

function shown(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Nested mappings as dotted names. */
export function flatConfig(config: Record<string, unknown>, prefix = ""): [string, string][] {
  return Object.entries(config).flatMap(([key, value]): [string, string][] => {
    const nested = typeof value === "object" && value !== null && !Array.isArray(value);
    if (nested && Object.keys(value).length) return flatConfig(value as Record<string, unknown>, `${prefix}${key}.`);
    return [[prefix + key, shown(value) ?? ""]];
  });
}

export function ConfigTable({ config }: { config: Record<string, unknown> }) {
  return (
    <table class="anr-config">
      <tbody>
        {flatConfig(config).map(([key, value]) => (
          <tr key={key}>
            <th scope="row">{key}</th>
            <td>{value}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
