/** A chart as text, for screen readers: the latest, least and most of each series. */
import classes from "./charts.module.css";
import { type ChartSeries, extremesOf, type Format } from "./series";

interface Props {
  label: string;
  series: readonly ChartSeries[];
  format: Format;
  limit: number | null | undefined;
}

/** Nobody listens to more lines than this. */
const ROWS = 20;

export function ChartTable({ label, series, format, limit }: Props) {
  if (series.length === 0) return null;
  return (
    <div className={classes.hidden}>
      <table>
        <caption>
          {label}
          {typeof limit === "number" && `, limit ${format(limit)}`}
          {series.length > ROWS && `, the first ${ROWS} of ${series.length}`}
        </caption>
        <thead>
          <tr>
            <th scope="col">Series</th>
            <th scope="col">Latest</th>
            <th scope="col">Least</th>
            <th scope="col">Most</th>
          </tr>
        </thead>
        <tbody>
          {series.slice(0, ROWS).map(({ id, name, points }) => {
            const found = extremesOf(points);
            return (
              <tr key={id}>
                <th scope="row">{name}</th>
                <td>{found?.latest ? format(found.latest.value ?? 0) : "none"}</td>
                <td>{found ? format(found.least) : "none"}</td>
                <td>{found ? format(found.most) : "none"}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
