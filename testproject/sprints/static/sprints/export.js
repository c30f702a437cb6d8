/* When the job has ended, the page comes again, with the link to its file. */
document.addEventListener("jobs:ended", function () { window.location.reload(); });
