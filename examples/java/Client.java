// Call an API with the headers that cdp-credential-operator keeps fresh. Java 17 or newer, no libraries: java Client.java
import java.io.IOException;
import java.net.URI;
import java.net.http.*;
import java.nio.file.*;

public class Client {
  static final Path DIR = Path.of(System.getenv().getOrDefault("HEADERS_DIR", "/var/run/cdp")); // one file for each header
  static final HttpClient HTTP = HttpClient.newHttpClient();

  // Reads the files anew for each call: the kubelet replaces them when the token is renewed.
  static HttpResponse<String> send(URI uri) throws IOException, InterruptedException {
    var request = HttpRequest.newBuilder(uri);
    try (var files = Files.newDirectoryStream(DIR, file -> !file.getFileName().toString().startsWith(".."))) {
      for (var file : files) request.setHeader(file.getFileName().toString(), Files.readString(file).strip());
    }
    return HTTP.send(request.build(), HttpResponse.BodyHandlers.ofString());
  }

  // A 401 is retried once: the token may have been replaced in between.
  static HttpResponse<String> get(URI uri) throws IOException, InterruptedException {
    var answer = send(uri);
    if (answer.statusCode() != 401) return answer;
    Thread.sleep(1000);
    return send(uri);
  }

  public static void main(String[] args) throws Exception {
    double interval = Double.parseDouble(System.getenv().getOrDefault("INTERVAL", "10"));
    while (true) {
      System.out.println(get(URI.create(System.getenv("API_URL"))).statusCode());
      Thread.sleep((long) (1000 * interval));
    }
  }
}
