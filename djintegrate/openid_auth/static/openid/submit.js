// Sends the one form of the page that loads it. Without JavaScript the form's button does.
document.querySelector("form[data-openid-submit]").requestSubmit();
