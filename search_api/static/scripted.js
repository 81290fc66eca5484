// Runs before anything is painted: shows the controls that need scripts, so that nothing moves later.
document.documentElement.classList.add("js");
