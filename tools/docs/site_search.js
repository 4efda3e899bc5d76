// The search of the site, without a server: all words of the query, in any script, wherever they
// stand. The index is a script (window.searchIndex: place, title, text), for pages that are opened as
// files may not read others. `base_url` is set by each page.
(function () {
  "use strict";

  // The titles that hold a word count most, then how often it stands in the text.
  function find(index, query) {
    var words = query.toLowerCase().split(/\s+/).filter(Boolean);
    var found = [];
    index.forEach(function (entry) {
      var title = entry[1].toLowerCase(), text = entry[2].toLowerCase(), score = 0;
      var all = words.length > 0 && words.every(function (word) {
        var in_title = title.indexOf(word) >= 0, count = text.split(word).length - 1;
        score += (in_title ? 20 : 0) + (title === word ? 20 : 0) + Math.min(count, 10);
        return in_title || count > 0;
      });
      if (all) found.push({entry: entry, score: score, word: words[0]});
    });
    return found.sort(function (a, b) { return b.score - a.score; }).slice(0, 50);
  }

  // What stands around the word.
  function excerpt(text, word) {
    var at = Math.max(0, text.toLowerCase().indexOf(word) - 60);
    return (at > 0 ? "... " : "") + text.substr(at, 200) + (at + 200 < text.length ? " ..." : "");
  }

  function show(box, query, results) {
    box.textContent = query && !results.length ? "Nothing found: other or fewer words may help." : "";
    box.hidden = !query;
    results.forEach(function (result) {
      var link = document.createElement("a"), text = document.createElement("p");
      link.href = base_url + "/" + result.entry[0];
      link.textContent = result.entry[1];
      text.textContent = excerpt(result.entry[2], result.word);
      box.appendChild(link);
      box.appendChild(text);
    });
  }

  // The index is a megabyte or two: it is loaded when somebody searches.
  function start() {
    var box = document.getElementById("search-results");
    var input = document.getElementById("search-query");
    function search() {
      if (window.searchIndex) {
        var query = input.value.trim();
        show(box, query, query ? find(window.searchIndex, query) : []);
      }
    }
    input.addEventListener("input", search);
    input.addEventListener("focus", function () {
      var script = document.createElement("script");
      script.src = base_url + "/search/search_index.js";
      script.onload = search;
      document.head.appendChild(script);
    }, {once: true});
  }

  if (typeof document === "undefined") {
    module.exports = find;  // for tests
  } else {
    document.addEventListener("DOMContentLoaded", start);
  }
})();
