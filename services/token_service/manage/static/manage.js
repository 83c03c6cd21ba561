"use strict";

for (const button of document.querySelectorAll("[data-copy]")) {
  const field = document.getElementById(button.dataset.copy);
  button.hidden = false;
  button.addEventListener("click", async () => {
    field.select();
    let isDone = true;
    try {
      await navigator.clipboard.writeText(field.value);
    } catch {
      // Without https there is no clipboard, but there is this.
      isDone = document.execCommand("copy");
    }
    document.getElementById("copied").textContent = isDone
      ? button.dataset.done
      : button.dataset.failed;
  });
}

// A reload must not make one more share or link. What is relative is made absolute
// first, for it would be relative to the new address.
if (document.body.dataset.after) {
  for (const link of document.links) {
    if (!link.getAttribute("href").startsWith("#")) {
      link.href = link.href;
    }
  }
  for (const form of document.forms) {
    form.action = form.action;
  }
  history.replaceState(null, "", document.body.dataset.after);
}

document.querySelector(".errors")?.focus();
