<?php
session_start();
$problems = array();
$name = isset($_POST['name']) ? trim($_POST['name']) : '';
$mail = filter_input(INPUT_POST, 'mail', FILTER_VALIDATE_EMAIL);
$text = isset($_POST['text']) ? trim($_POST['text']) : '';
if ($_SERVER['REQUEST_METHOD'] === 'POST') {
    if (!hash_equals($_SESSION['token'], (string) $_POST['token'])) {
        $problems[] = 'The form is too old. Please send it again.';
    }
    if ($name === '' || !$mail || strlen($text) < 10) {
        $problems[] = 'Please fill in all fields.';
    }
    if (!$problems) {
        mail('office@example.org', 'Contact form', wordwrap($text, 70), 'Reply-To: ' . $mail);
        header('Location: thanks.php');
        exit;
    }
}
$_SESSION['token'] = bin2hex(random_bytes(16));
?>
<!DOCTYPE html>
<title>Contact</title>
<?php foreach ($problems as $problem): ?><p class="problem"><?= htmlspecialchars($problem) ?></p><?php endforeach ?>
<form method="post">
<input type="hidden" name="token" value="<?= $_SESSION['token'] ?>">
<input name="name" value="<?= htmlspecialchars($name) ?>">
<input name="mail" type="email" value="<?= htmlspecialchars((string) $mail) ?>">
<textarea name="text"><?= htmlspecialchars($text) ?></textarea>
<button>Send</button>
</form>
