/**
 * What lets style sheets stand that libraries make while the page runs. The server writes a new one
 * into each page and its policy; no other sheet than its own files is let in without.
 */
declare global {
  /** Where the library that keeps a page from scrolling behind a dialog looks for it. */
  var __webpack_nonce__: string | undefined;
}

const given = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]');

export const nonce = given?.nonce ?? "";

globalThis.__webpack_nonce__ = nonce;
