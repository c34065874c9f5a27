/* Charts from data-chart (JSON, see ui.chart in _macros.html), drawn as SVG by ECharts, which is loaded when the first of them comes into view.
   Colours come from the style sheet, so both themes fit. The picture is decoration for those who see it: its sentence and its table stand in the page. */
(() => {
  "use strict";

  const loader = document.currentScript.dataset;
  const language = document.documentElement.lang || "en";
  const number = new Intl.NumberFormat(language, { maximumFractionDigits: 2 });
  const drawn = new Map();

  const load = (src) => new Promise((done, failed) => {
    const script = Object.assign(document.createElement("script"), { src, onload: done, onerror: failed });
    document.head.append(script);
  });
  let library;
  const echartsReady = () => {
    library ??= load(loader.echarts).then(() => loader.language && load(loader.language));
    return library;
  };

  /* light-dark() resolves only in a real property, so an element wears the colour and tells. */
  const palette = (box) => {
    const probe = document.createElement("span");
    box.append(probe);
    const colour = (name) => {
      probe.style.color = `var(--${name})`;
      return getComputedStyle(probe).color;
    };
    const names = ["c1", "c2", "c3", "c4", "c5", "ink", "ink-2", "ink-3", "line", "surface"];
    const colours = Object.fromEntries(names.map((name) => [name, colour(name)]));
    probe.remove();
    return colours;
  };

  const shownText = (series, index) => series.texts?.[index] ?? number.format(Number(series.values[index]));
  const valuesOf = (series) => series.values.map((value) => (value === null ? null : Number(value)));

  /* The highest value is labelled in the picture itself. */
  const withPeak = (series, colours) => {
    const values = valuesOf(series);
    const peak = values.indexOf(Math.max(...values));
    return values.map((value, index) => (index !== peak || !value ? value : {
      value,
      label: { show: true, position: "top", color: colours.ink, fontWeight: 600, fontSize: 12, formatter: shownText(series, index) },
    }));
  };

  const asLine = (series, colour, colours) => {
    const data = valuesOf(series);
    const line = { type: "line", name: series.name, data, symbol: "circle", showSymbol: data.length < 3, symbolSize: 6, color: colour, z: 4 };
    if (!series.before) return [{ ...line, lineStyle: { width: 2 } }];
    const halo = { type: "line", data, showSymbol: false, silent: true, z: 3, color: colours.surface, lineStyle: { width: 5 }, tooltip: { show: false }, emphasis: { disabled: true } };
    return [halo, { ...line, lineStyle: { width: 2, type: [2, 4], cap: "round" } }];
  };

  const asBars = (series, colour, colours, first) => [{
    type: "bar", name: series.name, color: colour, data: first ? withPeak(series, colours) : valuesOf(series),
    barCategoryGap: "25%", itemStyle: { borderRadius: 2, ...(series.others ? { decal: { symbol: "rect", dashArrayX: [1, 0], dashArrayY: [2, 4], rotation: Math.PI / 4, color: colours.surface } } : {}) },
  }];

  /* Notes on days: a line with the number under which the list below the picture tells it. */
  const withMarks = (series, spec, colours) => {
    if (!spec.marks?.length) return series;
    const markLine = {
      symbol: "none", silent: true, animation: false, lineStyle: { color: colours["ink-3"], type: "solid", width: 1 },
      label: { position: "end", color: colours["ink-2"], fontSize: 12, fontWeight: 600 },
      data: spec.marks.map((mark) => ({ xAxis: mark.index, label: { formatter: String(mark.number) } })),
    };
    return series.map((one, index) => (index === series.length - 1 ? { ...one, markLine } : one));
  };

  const tooltip = (spec, colours) => ({
    renderMode: "richText", // an HTML tooltip needs inline styles, which the policy forbids
    backgroundColor: colours.surface, borderColor: colours.line, borderWidth: 1, padding: [8, 12], confine: true,
    textStyle: { color: colours.ink, fontSize: 13, fontFamily: "Instrument Sans, system-ui, sans-serif" },
  });

  const isWhole = (spec) => spec.series.every((one) => valuesOf(one).every((value) => value === null || Number.isInteger(value)));

  const axes = (spec, colours) => ({
    grid: { left: 0, right: 8, top: 28, bottom: 6, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
    xAxis: {
      type: "category", data: spec.labels, axisTick: { show: false }, axisLine: { lineStyle: { color: colours["ink-3"] } },
      axisLabel: { color: colours["ink-3"], hideOverlap: true, fontSize: 12 },
    },
    yAxis: {
      type: "value", min: (range) => Math.min(0, range.min), splitNumber: 4, minInterval: isWhole(spec) ? 1 : 0, splitLine: { lineStyle: { color: colours.line } },
      axisLabel: { color: colours["ink-3"], fontSize: 12, formatter: (value) => (value === 0 ? "" : number.format(value)) },
    },
  });

  const crossOption = (spec, colours) => {
    const series = spec.series.flatMap((one, index) => {
      const colour = one.others ? colours.c5 : colours[`c${Math.min(index + 1, 4)}`];
      return (one.kind ?? spec.kind) === "line" ? asLine(one, colour, colours) : asBars(one, colour, colours, index === 0);
    });
    const lines = (points) => {
      const index = points[0].dataIndex;
      const notes = (spec.marks ?? []).filter((mark) => mark.index === index).map((mark) => mark.text);
      return [spec.labels[index], ...spec.series.map((one) => `${one.name}: ${shownText(one, index)}`), ...notes].join("\n");
    };
    return { ...axes(spec, colours), series: withMarks(series, spec, colours), tooltip: { ...tooltip(spec, colours), trigger: "axis", axisPointer: { type: "line", lineStyle: { color: colours["ink-3"] } }, formatter: lines } };
  };

  const pieOption = (spec, colours) => {
    const [one] = spec.series;
    return {
      tooltip: { ...tooltip(spec, colours), trigger: "item", formatter: (point) => `${point.name}: ${shownText(one, point.dataIndex)}` },
      series: [{
        type: "pie", radius: ["48%", "76%"], label: { color: colours["ink-2"], fontSize: 12 }, itemStyle: { borderColor: colours.surface, borderWidth: 2 },
        data: spec.labels.map((name, index) => ({ name, value: Number(one.values[index]), itemStyle: { color: colours[`c${Math.min(index + 1, 5)}`] } })),
      }],
    };
  };

  const paint = (box, chart) => {
    const spec = JSON.parse(box.dataset.chart);
    const colours = palette(box);
    const option = spec.kind === "pie" ? pieOption(spec, colours) : crossOption(spec, colours);
    chart.setOption({
      animation: false, backgroundColor: "transparent", textStyle: { fontFamily: "Instrument Sans, system-ui, sans-serif" },
      aria: { enabled: true, label: { description: box.getAttribute("aria-label") } }, ...option,
    }, { notMerge: true, lazyUpdate: true });
  };

  const resized = new ResizeObserver((entries) => entries.forEach(({ target }) => drawn.get(target)?.resize()));

  /* Reading the library, setting a chart up and drawing it are tasks of their own: a click or a key in between waits for none of the others. */
  const laterTask = () => new Promise((done) => setTimeout(done));

  const draw = async (box) => {
    await echartsReady();
    await laterTask();
    if (drawn.has(box) || !box.isConnected) return;
    const chart = window.echarts.init(box, null, { renderer: "svg", locale: loader.language ? language.toUpperCase() : "EN" });
    drawn.set(box, chart);
    await laterTask();
    if (!chart.isDisposed()) paint(box, chart);
    resized.observe(box);
  };

  const seen = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      seen.unobserve(target);
      draw(target);
    }
  }, { rootMargin: "100px" });

  const watch = () => {
    for (const [box, chart] of drawn) {
      if (box.isConnected) continue;
      resized.unobserve(box);
      chart.dispose();
      drawn.delete(box);
    }
    for (const box of document.querySelectorAll("[data-chart]")) if (!drawn.has(box)) seen.observe(box);
  };

  document.documentElement.addEventListener("themechange", () => drawn.forEach((chart, box) => paint(box, chart)));
  document.addEventListener("htmx:after:swap", watch);
  watch();
})();
