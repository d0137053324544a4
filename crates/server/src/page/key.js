// Asks for the API key of the server.

import { byId, say } from "./dom.js";

/** A promise of the key, or of null when the person gives up. */
export function askForKey(wasWrong) {
  const dialog = byId("key-dialog");
  say(
    byId("key-note"),
    wasWrong ? "The server does not accept this key. Try another." : "It is kept until you close this tab.",
  );
  byId("key").value = "";
  dialog.returnValue = "cancel";
  byId("key-cancel").onclick = () => dialog.close("cancel");
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener(
      "close",
      () => resolve(dialog.returnValue === "ok" ? byId("key").value.trim() || null : null),
      { once: true },
    );
  });
}
