(##namespace ("debugger/what-if#"
  session-what-ifs timeline-keep! timeline-go! timeline-drop! timeline-or-error timeline-compare fork-notice
  comparison? comparison-counts comparison-same? comparison-registers comparison-views comparison-memory
  comparison-more?))
