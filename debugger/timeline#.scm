(##namespace ("debugger/timeline#"
  timeline? timeline-moments timeline-end timeline-start timeline-marks timeline-marks-set! timeline-spacing
  moment-count moment-anchor?
  timeline-name timeline-name-set! timeline-named timeline-at timeline-origin timeline-fork timeline-kept?-set!
  timeline-byte-limit timeline-log-limit timeline-moment-limit what-if-limit timeline-wanted least-spacing
  timeline-begin! timeline-set-aside! timelines-forget! timeline-switch! timeline-forget! the-timeline timeline-past? timeline-run! timeline-goto! last-stop-before
  call-and-come-back last-events-before observe-span run-exactly-to!))
