(##namespace ("debugger/questions#"
  last-write history lazy-rest lazy-take lazy-filter
  all-times first-time bisect
  calls call-count call-caller call-function call-arguments call-result call-end
  execution-counts
  change-count change-pc change-old change-new
  word->location location? location-kind location-begin location-size last-change-of))
