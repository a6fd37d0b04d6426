/** What this server is and how it is doing: for a bug report and for a first look when it is slow. */
import { Copyable } from "../frame/Copyable";
import { PageHeader } from "../frame/PageHeader";
import { PageState } from "../frame/PageState";
import classes from "./about.module.css";
import { Checks } from "./Checks";
import { useAbout, useHealth } from "./queries";

/** What keeps projects apart on the server's own machine. */
const ISOLATION: Readonly<Record<string, string>> = {
  users: "A Unix user for each project",
  namespaces: "Namespaces for each job",
  none: "None",
};

export default function AboutPage() {
  const about = useAbout();
  const health = useHealth();
  return (
    <div className={classes.page}>
      <PageHeader title="About" />
      <div className={classes.body}>
        <div className={classes.column}>
          <section aria-labelledby="about-server">
            <h2 id="about-server" className={classes.title}>
              Server
            </h2>
            {about.data ? (
              <dl className={classes.facts}>
                <dt>Version</dt>
                <dd>
                  <Copyable text={about.data.version} />
                </dd>
                <dt>Store</dt>
                <dd>{about.data.store === "postgresql" ? "PostgreSQL" : "SQLite"}</dd>
                <dt>Engines</dt>
                <dd>{about.data.engines.join(", ")}</dd>
                <dt>GPUs</dt>
                <dd>
                  {about.data.virtual_gpus ? "Some are virtual: no hardware is there" : "Real"}
                </dd>
                <dt>Isolation</dt>
                <dd>
                  {ISOLATION[about.data.isolation] ?? about.data.isolation}
                  <p className={classes.words}>{about.data.isolation_words}</p>
                </dd>
                <dt>Address</dt>
                <dd>
                  <Copyable text={window.location.origin} />
                </dd>
              </dl>
            ) : (
              <PageState query={about} what="the server's version" rows={5} />
            )}
          </section>
          <section aria-labelledby="about-more">
            <h2 id="about-more" className={classes.title}>
              More
            </h2>
            <ul className={classes.links}>
              <li>
                <a href="/api/v1/openapi.json" target="_blank" rel="noreferrer">
                  API document
                </a>
                <span>OpenAPI, as JSON: all that this console does, any program can.</span>
              </li>
              <li>
                <a href="/api/v1/schemas/workload" target="_blank" rel="noreferrer">
                  Workload schema
                </a>
                <span>JSON Schema of a spec, for editors.</span>
              </li>
              <li>
                <a
                  href="https://www.apache.org/licenses/LICENSE-2.0"
                  target="_blank"
                  rel="noreferrer"
                >
                  Licence
                </a>
                <span>Apache License 2.0.</span>
              </li>
            </ul>
          </section>
        </div>
        <section aria-labelledby="about-health">
          <h2 id="about-health" className={classes.title}>
            Health
          </h2>
          {health.data ? (
            <Checks health={health.data} atMs={health.dataUpdatedAt} />
          ) : (
            <PageState query={health} what="the server's health" rows={4} />
          )}
        </section>
      </div>
    </div>
  );
}
