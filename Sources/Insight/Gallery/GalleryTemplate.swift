/// The gallery's page as a Mustache template: one file, which loads nothing from elsewhere.
enum GalleryTemplate {
  static let text = """
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>What {{title}} sees</title>
    <style>\(style)</style>
    </head>
    <body>
    <header>
    <p class="kind">What a network learned</p>
    <h1>{{title}}</h1>
    <p>Images of {{inputShape}}, {{parameters}} parameters. Means and examples are taken over the {{samples}} samples of {{data}}.</p>
    </header>
    <main>
    <section id="flow">
    <h2>Let an image flow</h2>
    <p>Choose an image; every layer below shows what it makes of it. <span id="verdict" aria-live="polite">{{verdict}}</span></p>
    <div class="inputs">{{#inputs}}<button type="button" data-input="{{index}}" aria-pressed="{{pressed}}" title="row {{row}}"><img src="{{image}}" alt=""><span>{{label}}</span></button>{{/inputs}}</div>
    </section>
    <nav aria-label="The network">
    <h2>The network</h2>
    <ol class="graph"><li><span class="node">input<small>{{inputShape}}</small></span></li>
    {{#rooms}}<li{{#follows}} class="follows"{{/follows}}><a class="node{{#isLearned}} learned{{/isLearned}}" href="#layer-{{name}}">{{name}}<small>{{kind}} {{shape}}</small><small>from {{from}}</small></a></li>
    {{/rooms}}</ol>
    </nav>
    {{#rooms}}
    <section class="room" id="layer-{{name}}">
    <h2>{{name}}</h2>
    <p class="about">{{about}}; takes {{from}}.
    {{#previous}}<a href="#layer-{{.}}">&larr; {{.}}</a>
    {{/previous}}{{#next}}<a href="#layer-{{.}}">{{.}} &rarr;</a>
    {{/next}}    <a href="#flow">image &uarr;</a></p>
    {{#hasFlow}}<figure class="flow"><img src="{{flow}}" data-layer="{{name}}" alt="What {{name}} gives for the chosen image" style="width:{{flowWidth}}px"></figure>{{/hasFlow}}
    {{#isLearned}}
    <p class="legend">{{#isMap}}Each filter: its kernel, the image that maximises the sum of its map, and the images that excite it most, with what it saw framed.{{/isMap}}{{^isMap}}Each unit: the image that maximises it, and the images that excite it most.{{/isMap}} {{more}}</p>
    <div class="filters">{{#filters}}<article{{#isDead}} class="dead"{{/isDead}}>
    <h3>{{label}}</h3>
    <div class="pair">{{#hasKernel}}<figure><img src="{{kernel}}" alt="Kernel of {{label}}"><figcaption>kernel</figcaption></figure>{{/hasKernel}}<figure><img src="{{maximum}}" alt="What maximises {{label}}"><figcaption>maximum {{activation}}</figcaption></figure></div>
    <div class="examples">{{#examples}}<img src="{{image}}" alt="{{text}}" title="{{text}}" loading="lazy">{{/examples}}</div>
    <p>{{#isDead}}never active{{/isDead}}{{^isDead}}mean {{mean}}, active in {{share}}%{{/isDead}}</p>
    </article>{{/filters}}</div>
    {{/isLearned}}
    </section>
    {{/rooms}}
    </main>
    <script type="application/json" id="pictures">{{{script}}}</script>
    <script>\(script)</script>
    </body>
    </html>

    """

  private static let style = """
    :root{--paper:#fbfbf9;--ink:#1e2126;--soft:#61666f;--line:#dcdcd6;--card:#fff;--accent:#1f5fbf}
    @media (prefers-color-scheme:dark){:root{--paper:#15171b;--ink:#e8e8e4;--soft:#9da3ad;--line:#33373f;--card:#1d2026;--accent:#8ab4f8}}
    *{box-sizing:border-box}
    body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
    header,main{max-width:76rem;margin:0 auto;padding:1rem clamp(.75rem,3vw,2rem)}
    h1{margin:.2rem 0;font-size:1.8rem;overflow-wrap:anywhere}h2{font-size:1.25rem;margin:0 0 .4rem;overflow-wrap:anywhere}h3{margin:0;font-size:.95rem}
    p{margin:.3rem 0}.kind,.about,.legend,article p,small,figcaption{color:var(--soft)}
    a{color:var(--accent)}.about a{margin-left:.6rem;overflow-wrap:anywhere}
    img{image-rendering:pixelated;max-width:100%;height:auto;display:block}
    section,nav{border-top:1px solid var(--line);padding:1.2rem 0;scroll-margin-top:.5rem}
    .inputs{display:flex;flex-wrap:wrap;gap:.5rem;margin-top:.6rem}
    button{font:inherit;font-size:.8rem;color:inherit;background:var(--card);border:2px solid var(--line);border-radius:.5rem;padding:.35rem;width:5.6rem;cursor:pointer}
    button img{width:100%;border-radius:.25rem}button span{display:block;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
    button[aria-pressed=true]{border-color:var(--accent)}button:focus-visible,a:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
    .graph{list-style:none;display:flex;flex-wrap:wrap;gap:.4rem 1.3rem;padding:0 0 0 1.3rem;margin:.5rem 0}
    .graph li{position:relative}.graph li.follows::before{content:"\\2192";position:absolute;left:-1.05rem;top:.55rem;color:var(--soft)}
    .node{display:block;border:1px solid var(--line);border-radius:.5rem;background:var(--card);padding:.3rem .6rem;color:inherit;text-decoration:none;font-size:.9rem;overflow-wrap:anywhere}
    h3,article p,#verdict{overflow-wrap:anywhere}
    .node small{display:block;font-size:.75rem}.node.learned{border-color:var(--accent)}a.node:hover{background:var(--line)}
    .flow{margin:.6rem 0;overflow-x:auto}
    .filters{display:grid;grid-template-columns:repeat(auto-fill,minmax(10.5rem,1fr));gap:.7rem;margin-top:.6rem}
    article{background:var(--card);border:1px solid var(--line);border-radius:.6rem;padding:.6rem;content-visibility:auto;contain-intrinsic-size:auto 220px}
    article.dead{opacity:.6}article p,figcaption{font-size:.78rem}
    .pair{display:flex;gap:.5rem;margin:.4rem 0}.pair figure{margin:0;flex:1 1 0;min-width:0}.pair img{width:100%}
    .pair figure:only-child{max-width:50%}
    .examples{display:grid;grid-template-columns:repeat(4,1fr);gap:.25rem}.examples img{width:100%}
    """

  private static let script = """
    (function () {
      var data = JSON.parse(document.getElementById("pictures").textContent);
      var buttons = document.querySelectorAll("button[data-input]");
      buttons.forEach(function (button) {
        button.addEventListener("click", function () {
          var index = Number(button.dataset.input);
          buttons.forEach(function (other) { other.setAttribute("aria-pressed", String(other === button)); });
          document.getElementById("verdict").textContent = data.verdicts[index];
          document.querySelectorAll("img[data-layer]").forEach(function (image) {
            image.src = data.flows[image.dataset.layer][index];
          });
        });
      });
    })();
    """
}
