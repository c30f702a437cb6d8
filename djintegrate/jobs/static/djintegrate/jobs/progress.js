/* Keeps each {% job_progress %} of the page up to date, until its job has ended, and on the job's own page what is
   beside it. With Dojo, its bar is a dijit. */
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

  function each(selector, act) { Array.prototype.forEach.call(document.querySelectorAll(selector), act); }

  function showFacts(address, job) {
    each("[data-job-facts]", function (facts) {
      if (facts.getAttribute("data-job-facts") !== address) { return; }
      Array.prototype.forEach.call(facts.querySelectorAll("[data-fact]"), function (fact) {
        var name = fact.getAttribute("data-fact"), value = job[name];
        fact.textContent = value;
        fact.parentNode.hidden = name === "attempts" ? value < 2 : !value;
      });
      var form = facts.querySelector("form");
      if (form) { form.hidden = job.state === "stopping" || ENDED.indexOf(job.state) >= 0; }
    });
  }

  function watch(place) {
    var show = bar(place), pause = FIRST_PAUSE, address = place.getAttribute("data-job");
    function part(name) { return place.querySelector("[data-said=" + name + "]"); }
    function said(name, text) { part(name).textContent = text; }
    // A page of the sign-in is not followed: it is no answer, and may be another site's.
    function isSignedOut(answer) {
      return answer.type === "opaqueredirect" || answer.status === 401 || answer.status === 403;
    }
    function look() {
      fetch(address, {credentials: "same-origin", redirect: "manual", headers: {Accept: "application/json"}})
        .then(function (answer) {
          part("signed-out").hidden = !isSignedOut(answer);
          if (isSignedOut(answer)) { said("message", ""); return null; }
          if (answer.status === 404) { said("message", place.getAttribute("data-gone")); return null; }
          if (!answer.ok) { throw new Error(answer.status); }
          return answer.json();
        })
        .then(function (job) {
          // Somebody may sign in again in another window.
          if (!job) { setTimeout(look, LONGEST_PAUSE); return; }
          place.last = job;
          place.setAttribute("data-state", job.state);
          said("state", job.label);
          said("message", job.error || job.message);
          show(job);
          showFacts(address, job);
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

  function begin() { each(".jobs-progress[data-job]", watch); }
  if (document.readyState === "loading") { document.addEventListener("DOMContentLoaded", begin); } else { begin(); }
}());
