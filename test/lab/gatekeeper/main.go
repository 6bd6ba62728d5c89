// gatekeeper stands in for the application of the seed document: two ports, a counter in a Redis outside the cluster,
// a line per answer in its data volume.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

var version = "unset" // by -ldflags "-X main.version=v362"

const data = "/home/user/data1"

// redis sends one command and returns the reply without its type mark; an error reply is an error.
func redis(args ...string) (string, error) {
	address := os.Getenv("REDIS")
	if address == "" {
		address = "redis-cluster:6379"
	}
	conn, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Second))
	fmt.Fprintf(conn, "*%d\r\n", len(args))
	for _, a := range args {
		fmt.Fprintf(conn, "$%d\r\n%s\r\n", len(a), a)
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return "", err
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" || line[0] == '-' {
		return "", fmt.Errorf("redis: %s", line)
	}
	return line[1:], nil
}

func answer(port string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		host, _ := os.Hostname()
		body := map[string]any{"app": "gatekeeper", "version": version, "pod": host, "port": port, "host": r.Host}
		status := http.StatusOK
		if count, err := redis("INCR", "gatekeeper:count"); err != nil {
			body["error"], status = err.Error(), http.StatusServiceUnavailable
		} else {
			body["count"] = json.Number(count)
		}
		if f, err := os.OpenFile(data+"/answers.log", os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644); err == nil {
			fmt.Fprintf(f, "%s %s %s %v\n", time.Now().UTC().Format(time.RFC3339), version, host, body["count"])
			f.Close()
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		json.NewEncoder(w).Encode(body)
	}
}

func healthz(w http.ResponseWriter, _ *http.Request) {
	if _, err := redis("PING"); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ok")
}

func main() {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGINT, syscall.SIGTERM)
	for _, port := range []string{"8000", "8080"} {
		mux := http.NewServeMux()
		mux.HandleFunc("/", answer(port))
		mux.HandleFunc("/healthz", healthz)
		go func() { log.Fatal(http.ListenAndServe(":"+port, mux)) }()
	}
	log.Printf("gatekeeper %s on 8000 and 8080", version)
	<-stop
}
