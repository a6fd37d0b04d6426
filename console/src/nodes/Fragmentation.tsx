/** How much of what is free is of use to those who come: now, by type of GPU, and over time. */
import { formats } from "../charts/formats";
import { RangePicker } from "../charts/RangePicker";
import { rangeWrite } from "../charts/range";
import { TimeChart } from "../charts/TimeChart";
import { useRange } from "../charts/useRange";
import { FailureState } from "../frame/FailureState";
import { milliInWords } from "../quantity/words";
import { amounts, shareInWords, shares, stockInWords, strandedInWords } from "./fragmentation";
import classes from "./fragmentation.module.css";
import { useFragmentation } from "./queries";

const USUAL = "24h";
const PACE_MS = 60_000;
const choices = ["1h", "6h", "24h", "7d"] as const;

interface Props {
  type: string | undefined;
  pool: string | undefined;
}

export function Fragmentation({ type, pool }: Props) {
  const { search, range, change } = useRange(USUAL, PACE_MS);
  const found = useFragmentation(range.from, range.live ? null : range.to, { type, pool });
  const { data } = found;
  const drawn = {
    from: range.from,
    to: range.to,
    group: "fragmentation",
    onRange: (from: number, to: number) => change(rangeWrite(from, to)),
    empty: "Nothing was noted in this time.",
  };
  return (
    <section className={classes.page} aria-label="Fragmentation">
      <div className={classes.lead}>
        <div className={classes.words}>
          <p className={classes.sentence}>{data && strandedInWords(data.points)}</p>
          <p className={classes.meaning}>
            Stranded is what is free, but of no use to a typical request of the last week: it lies
            in pieces, or beside too little CPU or memory. It is noted once a minute.
          </p>
        </div>
        <RangePicker value={search} onChange={change} usual={USUAL} choices={choices} />
      </div>
      {found.error && !data ? (
        <FailureState error={found.error} onRetry={() => found.refetch()} />
      ) : (
        <div className={classes.charts}>
          <TimeChart
            {...drawn}
            stacked
            label="Free GPUs"
            series={data && amounts(data.points)}
            format={formats.gpus}
          />
          <TimeChart
            {...drawn}
            label="Stranded of what is free"
            series={data && shares(data)}
            format={formats.percent}
          />
        </div>
      )}
      {data && data.stocks.length > 0 && (
        <table className={classes.table} aria-label="Stranded by type of GPU">
          <thead>
            <tr>
              <th scope="col">GPUs</th>
              <th scope="col">Free</th>
              <th scope="col">Stranded</th>
              <th scope="col">Share</th>
              <th scope="col" title="Free of GPUs that are in use in part">
                In parts
              </th>
            </tr>
          </thead>
          <tbody>
            {data.stocks.map((stock) => {
              const last = stock.points.at(-1);
              return (
                last && (
                  <tr key={stockInWords(stock)}>
                    <th scope="row">{stockInWords(stock)}</th>
                    <td>{milliInWords(last.free_milli)}</td>
                    <td>{milliInWords(last.stranded_milli)}</td>
                    <td>{shareInWords(last)}</td>
                    <td>{milliInWords(last.split_milli)}</td>
                  </tr>
                )
              );
            })}
          </tbody>
        </table>
      )}
    </section>
  );
}
