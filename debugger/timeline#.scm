(##namespace ("debugger/timeline#"
  timeline? timeline-moments timeline-end timeline-start timeline-marks timeline-marks-set! timeline-spacing
  moment-count moment-anchor?
  timeline-byte-limit timeline-log-limit timeline-moment-limit timeline-wanted least-spacing
  timeline-begin! the-timeline timeline-past? timeline-run! timeline-goto! last-stop-before
  call-and-come-back last-events-before observe-span run-exactly-to!))
