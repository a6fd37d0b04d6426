/** Starts the console. */
import "./theme/base.css";
import "./theme/tokens.css";
import "@mantine/core/styles.layer.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Console } from "./Console";
import { queriesCreate } from "./queries";
import { routerCreate } from "./router";
import { failureTake } from "./session/failure";
import { ticketTake, ticketWatch } from "./session/ticket";

const ticket = ticketTake(window.location, window.history);
const failure = failureTake(window.location, window.history);
ticketWatch();
const root = document.getElementById("root");
if (!root) throw new Error("The page has no #root.");

createRoot(root).render(
  <StrictMode>
    <Console queries={queriesCreate()} router={routerCreate()} ticket={ticket} failure={failure} />
  </StrictMode>,
);
