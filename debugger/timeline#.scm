(##namespace ("debugger/timeline#"
  timeline? timeline-moments timeline-end timeline-start timeline-marks timeline-marks-set! timeline-spacing
  moment-count moment-anchor? moment-written newest-until next-anchor restore-moment! keeping-moments
  leave-present! run-exactly-to! move-to! timeline-at-set!
  timeline-name timeline-name-set! timeline-named timeline-at timeline-origin timeline-fork timeline-kept?-set!
  timeline-byte-limit timeline-log-limit timeline-moment-limit what-if-limit timeline-wanted least-spacing
  timeline-begin! timeline-set-aside! timelines-forget! timeline-switch! timeline-forget! the-timeline timeline-past?
  timeline-run! timeline-goto!))
