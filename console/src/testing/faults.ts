/** What axe finds wrong on the page. It cannot see colours here: the test of the palette does. */
import axe from "axe-core";

// It would like to measure glyphs, which jsdom cannot.
HTMLCanvasElement.prototype.getContext = () => null;
// It has no sizes, so nothing can be scrolled to.
Element.prototype.scrollIntoView ??= () => {};

export async function faults(): Promise<string[]> {
  const { violations } = await axe.run(document.body, {
    rules: { "color-contrast": { enabled: false } },
  });
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((each) => each.html).join(" ")}`);
}
