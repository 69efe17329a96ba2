/// The page of a run's report as a Mustache template: one file without scripts, which loads nothing from elsewhere.
enum ReportTemplate {
  static let text = """
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>{{name}} · {{run}}</title>
    <style>\(style)</style>
    </head>
    <body>
    <header>
    <p class="kind">Training report</p>
    <h1>{{name}} <span>{{run}}</span></h1>
    <p class="state">{{state}}</p>
    <nav aria-label="Parts of this report">
    {{#sections}}<a href="#{{id}}">{{title}}</a> {{/sections}}
    </nav>
    </header>
    <main>
    <dl class="tiles">
    {{#highlights}}<div><dt>{{name}}</dt><dd>{{value}}</dd></div>{{/highlights}}
    </dl>
    {{#hasNotes}}<ul class="notes">{{#notes}}<li>{{.}}</li>{{/notes}}</ul>{{/hasNotes}}

    {{#hasCharts}}
    <section id="curves"><h2>Learning curves</h2>
    <div class="charts">{{#charts}}<figure>{{{svg}}}<figcaption>{{title}}</figcaption></figure>{{/charts}}</div>
    </section>
    {{/hasCharts}}

    {{#hasEpochs}}
    <section id="epochs"><h2>Epochs</h2>
    {{#hasTimes}}<p>Where the time went: {{times}}</p>{{/hasTimes}}
    <div class="wide"><table>
    <thead><tr>{{#epochColumns}}<th>{{.}}</th>{{/epochColumns}}</tr></thead>
    <tbody>{{#epochs}}<tr{{#isBest}} class="best"{{/isBest}}>{{#cells}}<td>{{.}}</td>{{/cells}}</tr>{{/epochs}}</tbody>
    </table></div>
    </section>
    {{/hasEpochs}}

    {{#hasRanks}}
    <section id="ranks"><h2>Ranks</h2>
    <p>Where the time of the steps went on each rank, in seconds of the whole run:
    {{#phases}}<span class="phase"><i class="phase{{number}}"></i>{{name}}</span> {{/phases}}</p>
    <div class="ranks">{{#ranks}}<div class="name">{{name}}</div><div class="bar">{{#parts}}<i class="phase{{number}}" style="width:{{width}}%" title="{{title}}"></i>{{/parts}}</div><div class="seconds">{{seconds}}</div>{{/ranks}}</div>
    </section>
    {{/hasRanks}}

    {{#hasClasses}}
    <section id="classes"><h2>Classes</h2>
    <p>{{evaluated}}</p>
    <div class="wide"><table>
    <thead><tr><th class="text">class</th><th>precision</th><th>recall</th><th>F1</th><th>samples</th></tr></thead>
    <tbody>{{#classes}}<tr><td class="text">{{name}}</td><td>{{precision}}</td><td>{{recall}}</td><td>{{f1}}</td><td>{{count}}</td></tr>{{/classes}}</tbody>
    <tfoot><tr><td class="text">{{total.name}}</td><td>{{total.precision}}</td><td>{{total.recall}}</td><td>{{total.f1}}</td><td>{{total.count}}</td></tr></tfoot>
    </table></div>
    </section>
    {{/hasClasses}}

    {{#hasOutputs}}
    <section id="outputs"><h2>Outputs</h2>
    <p>{{evaluated}}</p>
    <div class="wide"><table>
    <thead><tr><th class="text">{{outputTitle}}</th>{{#outputColumns}}<th>{{.}}</th>{{/outputColumns}}</tr></thead>
    <tbody>{{#outputs}}<tr><td class="text">{{name}}</td>{{#values}}<td>{{.}}</td>{{/values}}</tr>{{/outputs}}</tbody>
    <tfoot>{{#outputTotals}}<tr><td class="text">{{name}}</td>{{#values}}<td>{{.}}</td>{{/values}}</tr>{{/outputTotals}}</tfoot>
    </table></div>
    </section>
    {{/hasOutputs}}

    {{#hasConfusion}}
    <section id="confusion"><h2>Confusion matrix</h2>
    {{#showsMatrix}}
    <p>Each row is a true class and each column a predicted class, in the same order.</p>
    <div class="wide"><table class="matrix">
    <thead><tr><td></td>{{#classes}}<th scope="col" title="{{name}}"><span>{{name}}</span></th>{{/classes}}</tr></thead>
    <tbody>{{#matrix}}<tr><th scope="row">{{name}}</th>{{#cells}}<td class="{{kind}}" style="--share:{{share}}%" title="{{title}}">{{count}}</td>{{/cells}}</tr>{{/matrix}}</tbody>
    </table></div>
    {{/showsMatrix}}
    {{#hasConfusions}}
    <p>Most often confused:</p>
    <ul class="confused">{{#confusions}}<li><b>{{label}}</b> taken for <b>{{predicted}}</b> {{count}} ×</li>{{/confusions}}</ul>
    {{/hasConfusions}}
    </section>
    {{/hasConfusion}}

    {{#hasMistakes}}
    <section id="mistakes"><h2>Most confident mistakes</h2>
    <div class="pictures">{{#mistakes}}<figure><img src="{{image}}" alt="{{label}}, taken for {{predicted}}" width="96" height="96">
    <figcaption><b>{{predicted}}</b> {{percent}}<br>is {{label}}<br><small>row {{row}}</small></figcaption></figure>{{/mistakes}}</div>
    </section>
    {{/hasMistakes}}

    {{#hasFilters}}
    <section id="filters"><h2>First-layer filters</h2>
    <p><code>{{filterLayer}}</code>: {{filterLegend}}</p>
    <div class="filters">{{#filters}}<figure><img src="{{image}}" alt="filter {{number}}" width="56" height="56"><figcaption>{{number}}</figcaption></figure>{{/filters}}</div>
    </section>
    {{/hasFilters}}

    <section id="config"><h2>Configuration</h2>
    <details><summary>The resolved configuration, every default written out</summary><pre>{{configuration}}</pre></details>
    </section>

    {{#hasEnvironment}}
    <section id="environment"><h2>Environment</h2>
    <dl class="facts">{{#environment}}<div><dt>{{name}}</dt><dd>{{value}}</dd></div>{{/environment}}</dl>
    </section>
    {{/hasEnvironment}}
    </main>
    </body>
    </html>

    """

  static let style = """

    :root { color-scheme: light dark; --paper: #ffffff; --ink: #1c2127; --soft: #5c6670; --line: #d9dee3;
      --tile: #f4f6f8; --accent: #0072b2; --wrong: #d55e00; }
    @media (prefers-color-scheme: dark) { :root { --paper: #14171a; --ink: #e6e9ec; --soft: #9aa4ae; --line: #333a41;
      --tile: #1d2226; --accent: #56b4e9; --wrong: #e88b4d; } }
    * { box-sizing: border-box; }
    body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
    header, main { max-width: 72rem; margin: 0 auto; padding: 0 1.25rem; }
    header { padding-top: 2rem; }
    h1 { margin: 0; font-size: 1.9rem; line-height: 1.2; overflow-wrap: anywhere; }
    h1 span { color: var(--soft); font-weight: 400; font-size: 1.2rem; }
    h2 { margin: 2.5rem 0 .75rem; padding-top: .75rem; border-top: 1px solid var(--line); font-size: 1.25rem; }
    .kind { margin: 0; color: var(--soft); font-size: .875rem; }
    .state { margin: .25rem 0 .75rem; }
    nav { display: flex; flex-wrap: wrap; gap: .25rem 1rem; font-size: .9375rem; }
    a { color: var(--accent); }
    .tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .75rem; margin: 1.25rem 0 0; }
    .tiles div { background: var(--tile); border-radius: .5rem; padding: .75rem 1rem; }
    .tiles dt, .facts dt { color: var(--soft); font-size: .8125rem; }
    .tiles dd { margin: 0; font-size: 1.375rem; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
    .notes { margin: 1rem 0 0; padding: .75rem 1rem .75rem 2rem; border-left: 4px solid var(--wrong); background: var(--tile); }
    .charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr)); gap: 1.25rem; }
    figure { margin: 0; }
    figcaption { color: var(--soft); font-size: .8125rem; }
    .charts svg { width: 100%; height: auto; display: block; color: var(--ink); }
    .charts figcaption { text-align: center; }
    .wide { overflow-x: auto; }
    table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9375rem; }
    th, td { padding: .25rem .75rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
    th { color: var(--soft); font-weight: 600; }
    thead th { white-space: normal; vertical-align: bottom; }
    .text { text-align: left; }
    td.text, tbody th { max-width: 24rem; white-space: normal; overflow-wrap: anywhere; }
    figcaption, .confused { overflow-wrap: anywhere; }
    tfoot td { font-weight: 600; border-bottom: 0; }
    tr.best td { font-weight: 700; color: var(--accent); }
    .matrix { font-size: .8125rem; }
    .matrix td, .matrix th { border: 1px solid var(--line); padding: .25rem .4rem; }
    .matrix tbody td { min-width: 2.6rem; }
    .matrix thead th { vertical-align: bottom; padding: .4rem .1rem; }
    .matrix thead span { writing-mode: vertical-rl; transform: rotate(180deg); max-height: 16rem; overflow: hidden; }
    .matrix thead td { border: 0; }
    .matrix .right { background: color-mix(in srgb, var(--accent) calc(var(--share) * .55), transparent); }
    .matrix .wrong { background: color-mix(in srgb, var(--wrong) calc(var(--share) * .9), transparent); }
    .matrix .none { color: var(--soft); }
    .ranks { display: grid; grid-template-columns: max-content 1fr max-content; gap: .25rem .75rem; font-size: .9375rem;
      align-items: center; font-variant-numeric: tabular-nums; }
    .bar { display: flex; height: 1rem; background: var(--tile); }
    .bar i { display: block; height: 100%; }
    .phase { white-space: nowrap; margin-right: .75rem; }
    .phase i { display: inline-block; width: .75rem; height: .75rem; margin-right: .3rem; }
    .phase0 { background: #999999; } .phase1 { background: #0072b2; } .phase2 { background: #e69f00; }
    .phase3 { background: #009e73; } .phase4 { background: #d55e00; } .phase5 { background: #cc79a7; }
    .confused { columns: 18rem; padding-left: 1.25rem; }
    .pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(7.5rem, 1fr)); gap: 1rem; }
    .filters { display: grid; grid-template-columns: repeat(auto-fill, minmax(3.75rem, 1fr)); gap: .75rem; }
    .pictures img, .filters img { image-rendering: pixelated; border: 1px solid var(--line); border-radius: .25rem;
      display: block; object-fit: contain; }
    .pictures b { color: var(--wrong); }
    .filters figcaption { text-align: center; width: 56px; }
    pre { overflow-x: auto; background: var(--tile); border-radius: .5rem; padding: 1rem; font-size: .8125rem; }
    summary { cursor: pointer; color: var(--accent); }
    .facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 18rem), 1fr)); gap: .75rem; }
    .facts dd { margin: 0; overflow-wrap: anywhere; }
    main { padding-bottom: 4rem; }

    """
}
