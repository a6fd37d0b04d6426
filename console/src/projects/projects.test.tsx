import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { consoleOpen, serverCreate } from "../testing/console";
import { pageOf, projectOf } from "../testing/documents";

const projects = () => pageOf(["speech", "vision", "robotics"].map(projectOf));

test("a project is found by typing, stands in the address, and every link keeps it", async () => {
  serverCreate().on("GET /api/v1/projects", projects);
  consoleOpen("/account");
  await userEvent.click(await screen.findByRole("button", { name: "Project: All projects" }));
  const field = await screen.findByRole("combobox", { name: "Find a project" });
  await waitFor(() => expect(field).toHaveFocus());
  expect(await screen.findAllByRole("option")).toHaveLength(4);
  await userEvent.type(field, "rob");
  expect(screen.getAllByRole("option")).toHaveLength(1);
  await userEvent.keyboard("{Enter}");
  await waitFor(() => expect(window.location.search).toBe("?project=robotics"));
  expect(window.location.pathname).toBe("/account");
  expect(screen.getByRole("link", { name: "Queue" })).toHaveAttribute(
    "href",
    "/queue?project=robotics",
  );
  await userEvent.click(screen.getByRole("link", { name: "Nodes and GPUs" }));
  await waitFor(() => expect(window.location.pathname).toBe("/nodes"));
  expect(window.location.search).toBe("?project=robotics");
});

test("all projects takes the choice away again", async () => {
  serverCreate().on("GET /api/v1/projects", projects);
  consoleOpen("/account?project=vision");
  await userEvent.click(await screen.findByRole("button", { name: "Project: vision" }));
  await userEvent.click(await screen.findByRole("option", { name: "All projects" }));
  await waitFor(() => expect(window.location.search).toBe(""));
  expect(screen.getByRole("button", { name: "Project: All projects" })).toBeVisible();
});

test("a name that no project has is said", async () => {
  serverCreate().on("GET /api/v1/projects", projects);
  consoleOpen("/account");
  await userEvent.click(await screen.findByRole("button", { name: "Project: All projects" }));
  await userEvent.type(await screen.findByRole("combobox", { name: "Find a project" }), "xyz");
  expect(await screen.findByText(/No project of yours has “xyz”/)).toBeVisible();
});
