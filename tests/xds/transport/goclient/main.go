// A client of grpc-go: a stream with messages of all sizes, a status, a deadline, an unknown method.
// Usage: goclient ADDRESS [CA] [CERTIFICATE KEY]; prints what is wrong and exits 1, else "ok".
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/status"
)

type raw struct{}

func (raw) Marshal(v any) ([]byte, error)      { return *v.(*[]byte), nil }
func (raw) Unmarshal(data []byte, v any) error { *v.(*[]byte) = append([]byte{}, data...); return nil }
func (raw) Name() string                       { return "proto" }

func check(right bool, what string, more any) {
	if !right {
		fmt.Println(what, more)
		os.Exit(1)
	}
}

func main() {
	encoding.RegisterCodec(raw{})
	transport := insecure.NewCredentials()
	if len(os.Args) > 2 {
		config := &tls.Config{ServerName: "localhost", RootCAs: x509.NewCertPool()}
		pem, _ := os.ReadFile(os.Args[2])
		config.RootCAs.AppendCertsFromPEM(pem)
		if len(os.Args) > 4 {
			pair, err := tls.LoadX509KeyPair(os.Args[3], os.Args[4])
			check(err == nil, "key pair", err)
			config.Certificates = []tls.Certificate{pair}
		}
		transport = credentials.NewTLS(config)
	}
	client, err := grpc.NewClient(os.Args[1], grpc.WithTransportCredentials(transport),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(8<<20)))
	check(err == nil, "client", err)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	both := &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}
	stream, err := client.NewStream(ctx, both, "/test.Echo/Stream")
	check(err == nil, "stream", err)
	var answer []byte
	for _, size := range []int{1, 0, 70_000, 3_000_000, 5} {
		body := make([]byte, size)
		check(stream.SendMsg(&body) == nil, "send", size)
		err = stream.RecvMsg(&answer)
		check(err == nil && len(answer) == size, "echo", err)
	}
	end := []byte("status:7")
	check(stream.SendMsg(&end) == nil, "send", "status")
	check(status.Code(stream.RecvMsg(&answer)) == codes.PermissionDenied, "status", err)
	slow := []byte("slow")
	short, stop := context.WithTimeout(ctx, 200*time.Millisecond)
	defer stop()
	err = client.Invoke(short, "/test.Echo/Once", &slow, &answer)
	check(status.Code(err) == codes.DeadlineExceeded, "deadline", err)
	err = client.Invoke(ctx, "/x.Y/Z", &slow, &answer)
	check(status.Code(err) == codes.Unimplemented, "unknown method", err)
	fmt.Println("ok")
}
