/** The name of a place, which leads to it. */
import { Link } from "@tanstack/react-router";
import type { Level } from "../api/types";
import { levelInWords, placeInWords } from "./words";

export function PlaceLink({ level, target }: { level: Level; target: string }) {
  if (level === "organisation") return levelInWords(level);
  return level === "team" ? (
    <Link to="/access/places/teams/$name" params={{ name: target }}>
      {placeInWords(level, target)}
    </Link>
  ) : (
    <Link to="/access/places/projects/$name" params={{ name: target }}>
      {placeInWords(level, target)}
    </Link>
  );
}
