/* Keeps each {% job_progress %} of the page up to date, until its job has ended. With Dojo, its bar is a dijit. */
(function () {
  "use strict";
  if (window.djintegrateJobs) { return; }
  window.djintegrateJobs = true;
  var FIRST_PAUSE = 400, LONGEST_PAUSE = 4000;
  var ENDED = ["successful", "failed", "stopped", "forgotten"];

  function bar(place) {
    var plain = place.querySelector("progress"), dijit = null;
    if (place.hasAttribute("data-dojo") && window.require) {
      window.require(["dijit/ProgressBar"], function (ProgressBar) {
        var node = plain.parentNode.insertBefore(document.createElement("div"), plain);
        dijit = new ProgressBar({indeterminate: true, title: plain.getAttribute("aria-label")}, node);
        dijit.startup();
        plain.hidden = true;
        show(place.last || {});
      });
    }
    function show(job) {
      var ended = job.state === "successful", known = ended || job.total;
      var done = ended ? 1 : job.done || 0, total = ended ? 1 : job.total;
      if (known) {
        plain.max = total;
        plain.value = Math.min(done, total);
      } else if (ENDED.indexOf(job.state) >= 0) {
        plain.max = 1;
        plain.value = 0;
      } else {
        plain.removeAttribute("value");
      }
      if (dijit) {
        dijit.set(known ? {indeterminate: false, maximum: total, value: Math.min(done, total)}
          : {indeterminate: ENDED.indexOf(job.state) < 0});
      }
    }
    return show;
  }

  function watch(place) {
    var show = bar(place), pause = FIRST_PAUSE;
    function said(name, text) { place.querySelector("[data-said=" + name + "]").textContent = text; }
    function look() {
      fetch(place.getAttribute("data-job"), {credentials: "same-origin", headers: {Accept: "application/json"}})
        .then(function (answer) {
          if (!answer.ok) { throw new Error(answer.status); }
          return answer.json();
        })
        .then(function (job) {
          place.last = job;
          place.setAttribute("data-state", job.state);
          said("state", place.getAttribute("data-" + job.state));
          said("message", job.error || job.message);
          show(job);
          if (ENDED.indexOf(job.state) < 0) {
            pause = Math.min(pause * 1.2, LONGEST_PAUSE);
            setTimeout(look, pause);
          } else {
            place.dispatchEvent(new CustomEvent("jobs:ended", {bubbles: true, detail: job}));
          }
        })
        .catch(function () {
          said("message", place.getAttribute("data-unreachable"));
          setTimeout(look, LONGEST_PAUSE);
        });
    }
    look();
  }

  function begin() { Array.prototype.forEach.call(document.querySelectorAll(".jobs-progress[data-job]"), watch); }
  if (document.readyState === "loading") { document.addEventListener("DOMContentLoaded", begin); } else { begin(); }
}());
