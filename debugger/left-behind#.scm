(##namespace ("debugger/left-behind#"
  load-core! load-recording! write-core! recording-note allowed-memory))
