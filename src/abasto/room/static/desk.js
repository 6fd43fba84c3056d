// The form for goods shows only the fields that belong to what happened. Without this script it shows all of them.

const form = document.getElementById("report");

function choose() {
  const kind = form.elements.kind.value.replace(" ", "_");
  for (const label of form.querySelectorAll("[data-for]")) {
    label.hidden = !label.dataset.for.split(" ").includes(kind);
  }
}

if (form) {
  form.elements.kind.addEventListener("change", choose);
  choose();
}
