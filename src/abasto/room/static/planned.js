// A plan that is being made tells often how far it is; parts that only wait for its end hear `planned`.

document.body.addEventListener("plan", ({ detail }) => {
  if (detail.outcome !== "running") document.body.dispatchEvent(new CustomEvent("planned", { detail }));
});
