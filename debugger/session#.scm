(##namespace ("debugger/session#"
  make-session session?
  session-machine session-machine-set!
  session-thread session-thread-set!
  session-program session-program-set!
  session-arguments session-arguments-set!
  session-breakpoints session-breakpoints-set!
  session-next-id session-next-id-set!
  session-stop session-stop-set!
  session-level session-level-set!
  session-examined session-examined-set!
  session-listed session-listed-set!
  session-fresh session-fresh-set!
  session-snapshots session-snapshots-set!
  session-streams session-streams-set! session-connect!
  session-timeline session-timeline-set! session-timelines session-timelines-set!
  session-displayed session-displayed-set!
  new-session current-session
  the-session the-program the-machine
  new-id!))
